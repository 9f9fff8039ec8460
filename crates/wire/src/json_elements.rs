//! Splits one array of a JSON document into its elements, chunk by chunk, without parsing them.
//!
//! An export holds a life in one array (`"orderedItems"` of a Mastodon `outbox.json`): too much for memory, and one broken
//! record must not cost the others. The splitter follows strings, escapes and brackets only; whether an element is valid
//! JSON is for its reader to find out.

use model::{Problem, codes};

/// The largest element that is taken, in bytes.
pub const MAX_ELEMENT: usize = 16 * 1024 * 1024;

/// The deepest nesting within an element that is taken.
pub const MAX_DEPTH: usize = 64;

/// Why an element, or the whole array, cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The element is larger than [`MAX_ELEMENT`].
    TooLarge,
    /// The element is nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// The element's brackets do not match.
    Mismatched,
    /// The document ends in the middle.
    Truncated,
    /// The document holds no such array.
    Missing,
}

impl Fault {
    /// Returns the fault as a problem.
    pub fn problem(self) -> Problem {
        let (code, detail) = match self {
            Self::TooLarge => (&codes::transfer::RECORD_TOO_LARGE, "the record is larger than 16 MiB"),
            Self::TooDeep => (&codes::transfer::RECORD_TOO_LARGE, "the record is nested deeper than 64 levels"),
            Self::Mismatched => (&codes::transfer::RECORD_BROKEN, "the record's brackets do not match"),
            Self::Truncated => (&codes::transfer::ARCHIVE_TRUNCATED, "a list of records ends in the middle"),
            Self::Missing => (&codes::transfer::RECORD_BROKEN, "the file does not hold the list of records it should"),
        };
        Problem::new(code, detail)
    }
}

/// Takes what a [`Splitter`] finds: the bytes of an element, or why it cannot be had.
pub type Sink<'a> = dyn FnMut(Result<&[u8], Fault>) + 'a;

/// Finds the elements of one array that is a member of the document's outermost object.
pub struct Splitter {
    member: &'static str,
    place: Place,
    quote: Quote,
    /// Open brackets around the array; 1 is the outermost object.
    depth: u64,
    /// The last string at depth 1, no more of it than can be compared.
    key: Vec<u8>,
    /// Whether the key just read is the member and its value comes next.
    at_value: bool,
    found: bool,
    element: Vec<u8>,
    brackets: Brackets,
    fault: Option<Fault>,
}

/// Where in the document the next byte is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Outside,
    Between,
    Element,
}

impl Splitter {
    /// Creates a splitter for the array that is the value of `member` in the document's outermost object.
    pub fn of_member(member: &'static str) -> Self {
        Self {
            member,
            place: Place::Outside,
            quote: Quote::default(),
            depth: 0,
            key: Vec::new(),
            at_value: false,
            found: false,
            element: Vec::new(),
            brackets: Brackets::default(),
            fault: None,
        }
    }

    /// Takes the next bytes of the document and hands every element that ends in them to `sink`.
    pub fn push(&mut self, mut chunk: &[u8], sink: &mut Sink<'_>) {
        while !chunk.is_empty() {
            let taken = match self.place {
                Place::Outside => self.outside(chunk),
                Place::Between => self.between(chunk, sink),
                Place::Element => self.element(chunk, sink),
            };
            chunk = &chunk[taken..];
        }
    }

    /// Tells how the document ended.
    ///
    /// # Errors
    /// [`Fault::Truncated`] in the middle of it, [`Fault::Missing`] if it is whole but has no such array.
    pub fn finish(self) -> Result<(), Fault> {
        let whole = self.place == Place::Outside && self.depth == 0 && !self.quote.open;
        match (whole, self.found) {
            (true, true) => Ok(()),
            (true, false) => Err(Fault::Missing),
            (false, _) => Err(Fault::Truncated),
        }
    }

    fn outside(&mut self, bytes: &[u8]) -> usize {
        for (index, &byte) in bytes.iter().enumerate() {
            let inside = self.quote.open;
            if self.quote.takes(byte) {
                self.at_value = false;
                if !inside {
                    self.key.clear();
                } else if self.quote.open && self.depth == 1 && self.key.len() <= self.member.len() {
                    self.key.push(byte);
                }
                continue;
            }
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => continue,
                b':' => {
                    self.at_value = self.depth == 1 && self.key == self.member.as_bytes();
                    continue;
                }
                b'[' if self.at_value => {
                    self.at_value = false;
                    self.found = true;
                    self.place = Place::Between;
                    return index + 1;
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.at_value = false;
        }
        bytes.len()
    }

    fn between(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> usize {
        for (index, &byte) in bytes.iter().enumerate() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => {}
                b']' => {
                    self.place = Place::Outside;
                    return index + 1;
                }
                b'}' => sink(Err(Fault::Mismatched)),
                _ => {
                    self.place = Place::Element;
                    return index;
                }
            }
        }
        bytes.len()
    }

    fn element(&mut self, bytes: &[u8], sink: &mut Sink<'_>) -> usize {
        let end = bytes.iter().enumerate().find_map(|(index, &byte)| self.end_at(index, byte));
        let taken = end.unwrap_or(bytes.len());
        if self.fault.is_none() && self.element.len() + taken > MAX_ELEMENT {
            self.fault = Some(Fault::TooLarge);
        }
        if self.fault.is_some() {
            self.element = Vec::new();
        } else {
            self.element.extend_from_slice(&bytes[..taken]);
        }
        if end.is_some() {
            sink(self.fault.take().map_or(Ok(self.element.as_slice()), Err));
            self.element.clear();
            self.brackets = Brackets::default();
            self.place = Place::Between;
        }
        taken
    }

    /// Follows one byte of an element, and returns where the element ends if this byte ends it.
    fn end_at(&mut self, index: usize, byte: u8) -> Option<usize> {
        if self.quote.takes(byte) {
            return (!self.quote.open && self.brackets.depth == 0).then_some(index + 1);
        }
        match byte {
            b'{' | b'[' => {
                if self.brackets.open(byte) > MAX_DEPTH {
                    self.fault.get_or_insert(Fault::TooDeep);
                }
                None
            }
            b']' if self.brackets.depth == 0 => Some(index),
            b'}' | b']' => match self.brackets.close(byte) {
                Closed::Matching => (self.brackets.depth == 0).then_some(index + 1),
                Closed::Others => {
                    self.fault.get_or_insert(Fault::Mismatched);
                    (self.brackets.depth == 0).then_some(index + 1)
                }
                Closed::Nothing => {
                    self.fault.get_or_insert(Fault::Mismatched);
                    // The array around the element ends here, and the element with it.
                    (byte == b']').then_some(index)
                }
            },
            b',' | b' ' | b'\t' | b'\r' | b'\n' if self.brackets.depth == 0 => Some(index),
            _ => None,
        }
    }
}

/// Whether a byte is inside a string.
#[derive(Default)]
struct Quote {
    open: bool,
    escaped: bool,
}

impl Quote {
    /// Takes a byte and tells whether it belongs to a string, its quotation marks included.
    fn takes(&mut self, byte: u8) -> bool {
        if !self.open {
            self.open = byte == b'"';
            return self.open;
        }
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.open = false;
        }
        true
    }
}

/// The brackets open within an element; of those deeper than [`MAX_DEPTH`] only the number is known.
#[derive(Default)]
struct Brackets {
    depth: usize,
    /// Bit n tells whether the bracket at depth n + 1 is `{`.
    braces: u64,
}

/// What a closing bracket closed.
enum Closed {
    /// The innermost open bracket, of its kind.
    Matching,
    /// One further out; what was open inside it was never closed.
    Others,
    /// None of its kind is open.
    Nothing,
}

impl Brackets {
    fn open(&mut self, byte: u8) -> usize {
        if self.depth < MAX_DEPTH {
            let bit = 1 << self.depth;
            self.braces = if byte == b'{' { self.braces | bit } else { self.braces & !bit };
        }
        self.depth += 1;
        self.depth
    }

    fn close(&mut self, byte: u8) -> Closed {
        if self.depth > MAX_DEPTH {
            self.depth -= 1;
            return Closed::Matching;
        }
        let brace = byte == b'}';
        match (0..self.depth).rev().find(|level| (self.braces >> level & 1 == 1) == brace) {
            Some(level) => {
                let closed = if level + 1 == self.depth { Closed::Matching } else { Closed::Others };
                self.depth = level;
                closed
            }
            None => Closed::Nothing,
        }
    }
}
