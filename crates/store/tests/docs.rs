//! The pages about the store say what the code says.

#[test]
fn the_data_model_page_has_every_retention_line() {
    let page = include_str!("../../../docs/DATA_MODEL.md");
    let table = store::retention::table_markdown();
    assert!(page.ends_with(&table), "put this table at the end of docs/DATA_MODEL.md:\n{table}");
}
