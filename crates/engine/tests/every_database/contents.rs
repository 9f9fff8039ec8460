//! All that a store holds, as somebody sees it who has its files or its tables.

use std::path::Path;

use testkit::postgres::cluster;

use crate::databases::STORE_URL;

/// Tells whether a text lies anywhere in the store of a folder.
pub async fn hold(folder: &Path, text: &str) -> bool {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let mut contents: Vec<Vec<u8>> = files.map(|path| std::fs::read(path).unwrap()).collect();
    if let Ok(url) = std::fs::read_to_string(folder.join(STORE_URL)) {
        let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
        for table in cluster().column(&url, tables).await.unwrap() {
            let rows = cluster().column(&url, &format!("SELECT t::TEXT FROM {table} t")).await.unwrap();
            contents.extend(rows.into_iter().map(String::into_bytes));
        }
    }
    contents.iter().any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
}
