//! The draft as a declaration that `moveout apply` accepts, with its reasons as comments.

use std::fmt::Write;

use model::world::{Container, OnErase, Table};
use wire::world::write;

use super::draft::{Draft, Drafted, Open};
use super::reach::Part;

/// What stands above the map.
#[derive(Clone, Debug)]
pub struct Heading {
    /// The app to declare along with the system, if wanted.
    pub app: Option<String>,
    /// The system's name.
    pub system: String,
    /// Its adapter.
    pub adapter: String,
    /// Its address, or a reference to it.
    pub url: String,
}

/// Writes the whole declaration.
pub fn text(draft: &Draft, heading: &Heading) -> String {
    let mut text = Text::default();
    text.summary(draft);
    text.heading(heading);
    let parts = [
        (Part::Person, "The people"),
        (Part::Named, "Rows that name people by an identity alone"),
        (Part::Owned, "What is theirs, from near to far"),
        (Part::Open, "What has to do with them, and whose it is you must say"),
    ];
    for (part, title) in parts {
        let tables: Vec<&Drafted> = draft.tables.iter().filter(|table| table.part == part).collect();
        if !tables.is_empty() {
            text.title(title);
            tables.into_iter().for_each(|table| text.table(table));
        }
    }
    text.outside(draft);
    text.indexes(draft);
    text.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    /// Adds a comment; whatever a name holds, it stays one.
    fn comment(&mut self, words: &str) {
        let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let _ = writeln!(self.0, "{}", format!("# {words}").trim_end());
    }

    fn title(&mut self, title: &str) {
        self.0.push('\n');
        self.comment(&format!("---- {title} ----"));
    }

    fn summary(&mut self, draft: &Draft) {
        self.comment("A draft, made by `moveout adapter scan` from the live database, in which nothing was changed. Values were sampled");
        self.comment(
            "and are not shown. Comments are not in force. Read it from top to bottom, then: moveout apply FILE",
        );
        self.comment("(a file says all there is: if you have one already, put the system into that).");
        for (title, open) in [("To decide", &draft.undecided), ("Looks personal, and out of reach", &draft.unreachable)]
        {
            if !open.is_empty() {
                self.comment("");
                self.comment(&format!("{title} ({}):", open.len()));
                for item in open {
                    self.comment(&format!("  {}: {}", item.table, item.what));
                }
            }
        }
        if !draft.notes.is_empty() {
            self.comment("");
            self.comment("Also:");
            draft.notes.iter().for_each(|note| self.comment(&format!("  {note}")));
        }
    }

    fn heading(&mut self, heading: &Heading) {
        if let Some(app) = &heading.app {
            let _ = writeln!(self.0, "\n[[app]]\nname = {}\nplatform = \"meta\"", write::quoted(app));
            self.comment("secrets = [\"file:./app-secret\"]        # callbacks are refused until it has one");
            self.comment("contact = \"privacy@shop.example\"        # whom people write to");
        }
        let _ = writeln!(
            self.0,
            "\n[[system]]\nname = {}\nadapter = {}\nurl = {}",
            write::quoted(&heading.system),
            write::quoted(&heading.adapter),
            write::quoted(&heading.url)
        );
        self.comment(
            "backups_kept = \"35d\"                   # for how long your backups go on holding what is erased",
        );
    }

    fn table(&mut self, table: &Drafted) {
        self.0.push('\n');
        let notes: Vec<&str> = table.notes.iter().map(String::as_str).collect();
        let rows = table.rows.map(|rows| rows.to_string());
        match (rows, notes.as_slice()) {
            (Some(rows), [first, rest @ ..]) => {
                self.comment(&format!("{rows}; {first}"));
                rest.iter().for_each(|note| self.comment(note));
            }
            (Some(rows), []) => self.comment(&rows),
            (None, notes) => notes.iter().for_each(|note| self.comment(note)),
        }
        self.0.push_str(&write::table(&table.map));
        if let Some(container) = &table.map.container {
            self.choices(table, container);
        }
        if let Some(keep) = &table.keep {
            self.comment("Bookkeeping? If a law obliges you to keep it, name the law and the time; else it is erased with the person:");
            self.comment(&write::keep(keep));
        }
    }

    fn choices(&mut self, table: &Drafted, container: &Container) {
        let columns: Vec<&str> = container.columns.keys().map(String::as_str).collect();
        self.comment(&format!(
            "TO DECIDE: rows of others that hang on the person's by {}. An erasure that meets some is blocked (MO-2004)",
            columns.join(", ")
        ));
        self.comment("until the line above says what happens to them:");
        for choice in &table.on_erase {
            let words = match choice {
                OnErase::Delete => "they go too",
                OnErase::Detach => "they stay, the reference becomes null",
                OnErase::Tombstone => "they stay, under what is left of it: its key",
            };
            let decided = Container { on_erase: Some(*choice), ..container.clone() };
            self.comment(&format!("  {}   # {words}", write::container(&decided)));
        }
        for (column, target) in &table.could_own {
            let owner = [(column.clone(), target.clone())].into();
            self.comment(&format!("  or, if the rows are theirs: {}", write::owner(&owner)));
        }
        if columns.len() > 1 {
            self.comment("  One on_erase goes for all of these columns. A column whose row is the person's belongs to owner instead.");
        }
    }

    fn outside(&mut self, draft: &Draft) {
        if !draft.unreachable.is_empty() {
            self.title("Looks personal, and out of reach");
        }
        for open in &draft.unreachable {
            self.0.push('\n');
            let Open { table, what, next, .. } = open;
            self.comment(&format!("{table}: {what}"));
            self.comment(&format!("Next: {next}."));
            let ignored = Table {
                name: table.clone(),
                identity: Default::default(),
                owner: Default::default(),
                container: None,
                keep: None,
                ignore: Some("why it holds nothing of a person".to_owned()),
            };
            write::table(&ignored).lines().for_each(|line| self.comment(line));
        }
        if !draft.nobody.is_empty() {
            self.title("Holds nobody, as far as was seen");
            self.comment(&draft.nobody.join(", "));
        }
    }

    fn indexes(&mut self, draft: &Draft) {
        if draft.indexes.is_empty() {
            return;
        }
        self.title("Indexes to create: without one every erasure reads the whole table");
        for index in &draft.indexes {
            let rows = index.rows.map_or(String::new(), |rows| format!("   -- {rows}"));
            self.comment(&format!("{}{rows}", index.statement));
        }
    }
}
