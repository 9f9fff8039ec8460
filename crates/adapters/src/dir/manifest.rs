//! Finishing a bag: checksums of the whole payload, put in place at once.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use aws_lc_rs::digest;
use model::DataType;
use wire::bag;

use super::commit::sync_folder;
use super::write::each_line;

/// Writes `manifest-sha256.txt` and `bag-info.txt`. Blocks.
///
/// # Errors
/// What reading or writing gave; then the bag has no new manifest.
pub fn write(root: &Path) -> io::Result<()> {
    let mut sum = Sum::default();
    replace(root, bag::MANIFEST_FILE, |manifest| {
        let mut listed = BTreeSet::new();
        for data_type in DataType::ALL {
            sum.hash(root, &bag::lines_file(data_type), manifest)?;
            each_line(root, data_type, |line| match line.file {
                Some(file) if listed.insert(file.path.clone()) => {
                    sum.add(file.size);
                    manifest.write_all(bag::manifest_line(&file.sha256, &file.path).as_bytes())
                }
                _ => Ok(()),
            })?;
        }
        // A crash may have left a file whose line was never written: RFC 8493 §3 wants every payload file listed.
        for data_type in DataType::ALL {
            let folder = format!("{}{data_type}", bag::MEDIA);
            for entry in fs::read_dir(root.join(&folder))? {
                let path = format!("{folder}/{}", entry?.file_name().to_string_lossy());
                if !listed.contains(&path) {
                    sum.hash(root, &path, manifest)?;
                }
            }
        }
        Ok(())
    })?;
    replace(root, bag::INFO_FILE, |info| info.write_all(bag::info(sum.bytes, sum.files).as_bytes()))
}

/// The size of the payload.
#[derive(Default)]
struct Sum {
    bytes: u64,
    files: u64,
}

impl Sum {
    fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        self.files += 1;
    }

    fn hash(&mut self, root: &Path, path: &str, manifest: &mut dyn Write) -> io::Result<()> {
        let mut file = match File::open(root.join(path)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut context = digest::Context::new(&digest::SHA256);
        let mut chunk = vec![0; 128 * 1024];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut chunk)?;
            if read == 0 {
                break;
            }
            context.update(&chunk[..read]);
            bytes += read as u64;
        }
        self.add(bytes);
        manifest.write_all(bag::manifest_line(&super::hex(context.finish().as_ref()), path).as_bytes())
    }
}

/// Writes a file beside its place, then moves it there: whole or not at all.
fn replace(root: &Path, name: &str, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let part = root.join(format!(".{name}.part"));
    let mut file = BufWriter::new(File::create(&part)?);
    write(&mut file)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&part, root.join(name))?;
    sync_folder(root)
}
