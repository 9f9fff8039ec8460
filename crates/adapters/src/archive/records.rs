//! Records of an archive, kept packed in memory: any of them can be had again without reading the archive again.
//!
//! A post of 2 kB packs to some 200 bytes beside its like, so this stays within what an index may take.

use std::io::{Read, Write};
use std::ops::Range;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use wire::json_elements::Fault;

/// Records are packed together up to this size.
const BLOCK: usize = 256 * 1024;

/// Records, or why they cannot be had, in the order in which they were added.
#[derive(Default)]
pub struct Records {
    blocks: Vec<Block>,
    open: Vec<u8>,
    /// How many records are in blocks.
    sealed: usize,
    count: usize,
    packed: u64,
}

struct Block {
    /// The number of its first record.
    first: usize,
    packed: Box<[u8]>,
}

impl Records {
    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns how many bytes they take.
    pub fn packed(&self) -> u64 {
        self.packed
    }

    /// Adds a record.
    pub fn push(&mut self, record: Result<&[u8], Fault>) {
        let (tag, bytes) = match record {
            Ok(bytes) => (0, bytes),
            Err(Fault::TooLarge) => (1, &[][..]),
            Err(Fault::TooDeep) => (2, &[][..]),
            Err(_) => (3, &[][..]),
        };
        self.open.push(tag);
        // The splitter takes 16 MiB at most.
        self.open.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.open.extend_from_slice(bytes);
        self.count += 1;
        if self.open.len() >= BLOCK {
            self.seal();
        }
    }

    /// Packs what is not packed yet; to be called when all records are added.
    pub fn seal(&mut self) {
        if self.count == self.sealed {
            return;
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        // Writing to memory does not fail.
        let packed = encoder.write_all(&self.open).and_then(|()| encoder.finish()).unwrap_or_default();
        self.packed += packed.len() as u64;
        self.blocks.push(Block { first: self.sealed, packed: packed.into() });
        self.sealed = self.count;
        self.open.clear();
    }

    /// Returns a reader, which goes fastest from lower to higher numbers.
    pub fn reader(&self) -> Reader<'_> {
        Reader { records: self, block: None, raw: Vec::new(), frames: Vec::new() }
    }
}

/// Reads records by number, unpacking a block at a time.
pub struct Reader<'a> {
    records: &'a Records,
    block: Option<usize>,
    raw: Vec<u8>,
    /// Tag and place of the block's records.
    frames: Vec<(u8, Range<usize>)>,
}

impl Reader<'_> {
    /// Returns a record.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn get(&mut self, number: usize) -> Result<&[u8], Fault> {
        let block = self.records.blocks.partition_point(|block| block.first <= number).checked_sub(1);
        let Some(index) = block else { return Err(Fault::Missing) };
        let block = &self.records.blocks[index];
        if self.block != Some(index) {
            self.unpack(block);
            self.block = Some(index);
        }
        match self.frames.get(number - block.first) {
            Some((0, place)) => Ok(&self.raw[place.clone()]),
            Some((1, _)) => Err(Fault::TooLarge),
            Some((2, _)) => Err(Fault::TooDeep),
            Some(_) => Err(Fault::Mismatched),
            None => Err(Fault::Missing),
        }
    }

    fn unpack(&mut self, block: &Block) {
        self.raw.clear();
        self.frames.clear();
        // We packed it ourselves: what cannot be unpacked ends the block, and its records are missing.
        if DeflateDecoder::new(&*block.packed).read_to_end(&mut self.raw).is_err() {
            return;
        }
        let mut rest = self.raw.as_slice();
        while let Some((head, bytes)) = rest.split_first_chunk::<5>() {
            let [tag, length @ ..] = *head;
            let length = u32::from_le_bytes(length) as usize;
            let begin = self.raw.len() - bytes.len();
            self.frames.push((tag, begin..begin + length));
            rest = bytes.get(length..).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_record_can_be_had_again() {
        let mut records = Records::default();
        for number in 0..5000_usize {
            let text = number.to_string().repeat(number % 97);
            records.push(if number % 1000 == 7 { Err(Fault::TooDeep) } else { Ok(text.as_bytes()) });
        }
        records.seal();
        assert!(records.blocks.len() > 1 && records.packed() < 200_000);
        let mut reader = records.reader();
        for number in (0..5000).chain([4999, 0, 2500]) {
            let expected = number.to_string().repeat(number % 97);
            let found = reader.get(number);
            assert_eq!(found, if number % 1000 == 7 { Err(Fault::TooDeep) } else { Ok(expected.as_bytes()) });
        }
        assert_eq!(reader.get(5000), Err(Fault::Missing));
    }
}
