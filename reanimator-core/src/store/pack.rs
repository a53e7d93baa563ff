//! Many samples of one series in one compressed piece.
//!
//! Values that follow each other resemble each other: their 32 bits are stored as differences, small ones of either
//! sign as small numbers, all highest bytes first and all lowest last, so that what hardly changes is a long run of
//! zeros; DEFLATE does the rest. Times are stored as differences of differences, which are zero where a clock ticks
//! evenly. What is read is bounded and checked: a damaged piece is refused in words and never believed.

use std::io::{Read, Write};

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};

/// Rows and columns that one piece may have, far above what is written; what claims more is damaged.
const MOST_ROWS: u64 = 1 << 20;
const MOST_COLUMNS: u64 = 1 << 10;
/// Bytes that one piece may unfold to.
const MOST_BYTES: u64 = 1 << 28;
/// Fast; higher levels gain under 1 % on noise.
const LEVEL: Compression = Compression::new(4);

/// Columns of 32 bits each, as long as there are times.
///
/// Times are milliseconds, kept relative to `begin`, which whoever reads must know too.
pub(crate) fn pack(begin: i64, times: &[i64], columns: &[Vec<u32>]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(times.len() * (columns.len() * 4 + 2) + 16);
    put_number(&mut plain, times.len() as u64);
    put_number(&mut plain, columns.len() as u64);
    let (mut before, mut gap) = (begin, 0i64);
    for time in times {
        let next = time.wrapping_sub(before);
        put_number(&mut plain, fold(next.wrapping_sub(gap)));
        (before, gap) = (*time, next);
    }
    for column in columns {
        let mut before = 0u32;
        let differences: Vec<u32> = column
            .iter()
            .map(|value| {
                let difference = value.wrapping_sub(before) as i32;
                before = *value;
                ((difference << 1) ^ (difference >> 31)) as u32
            })
            .collect();
        for plane in (0..4).rev() {
            plain.extend(differences.iter().map(|difference| (difference >> (plane * 8)) as u8));
        }
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), LEVEL);
    // Writing to memory does not fail.
    match encoder.write_all(&plain).and_then(|()| encoder.finish()) {
        Ok(packed) => packed,
        Err(error) => unreachable!("writing to memory failed: {error}"),
    }
}

/// What was packed: times, and columns that are unfolded when asked for.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// Milliseconds since 1970.
    pub(crate) times: Vec<i64>,
    columns: usize,
    planes: Vec<u8>,
}

impl Unpacked {
    /// How many columns there are.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// A column, as long as the times; none where there are not so many.
    pub(crate) fn column(&self, index: usize) -> Option<Vec<u32>> {
        if index >= self.columns {
            return None;
        }
        let rows = self.times.len();
        let planes = self.planes.get(index * rows * 4..(index + 1) * rows * 4)?;
        let mut before = 0u32;
        let value = |row: usize| {
            let folded = (0..4).fold(0u32, |bits, plane| (bits << 8) | u32::from(planes[plane * rows + row]));
            before = before.wrapping_add((folded >> 1) ^ (folded & 1).wrapping_neg());
            before
        };
        Some((0..rows).map(value).collect())
    }
}

/// Reads what [`pack`] made; a text says what is wrong with it.
pub(crate) fn unpack(begin: i64, packed: &[u8]) -> Result<Unpacked, &'static str> {
    let mut plain = Vec::new();
    DeflateDecoder::new(packed)
        .take(MOST_BYTES + 1)
        .read_to_end(&mut plain)
        .map_err(|_| "a packed part of it cannot be unpacked")?;
    let mut rest = plain.as_slice();
    let mut number = || take_number(&mut rest).ok_or("a packed part of it is cut short");
    let (rows, columns) = (number()?, number()?);
    if rows > MOST_ROWS || columns > MOST_COLUMNS {
        return Err("a packed part of it claims an absurd size");
    }
    let mut times = Vec::with_capacity(rows.min(1 << 14) as usize);
    let (mut time, mut gap) = (begin, 0i64);
    for _ in 0..rows {
        gap = gap.wrapping_add(unfold(number()?));
        time = time.wrapping_add(gap);
        times.push(time);
    }
    let planes = rest.to_vec();
    if planes.len() as u64 != rows * columns * 4 {
        return Err("a packed part of it has another length than it says");
    }
    Ok(Unpacked { times, columns: columns as usize, planes })
}

/// Small numbers of either sign as small numbers.
fn fold(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unfold(number: u64) -> i64 {
    ((number >> 1) ^ (number & 1).wrapping_neg()) as i64
}

/// Seven bits a byte, the lowest first, the eighth set where more follow.
fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_comes_back(
            begin in any::<i64>(),
            rows in proptest::collection::vec((any::<i64>(), any::<u32>(), any::<u32>()), 0..100),
        ) {
            let times: Vec<i64> = rows.iter().map(|row| row.0).collect();
            let columns = [rows.iter().map(|row| row.1).collect(), rows.iter().map(|row| row.2).collect::<Vec<u32>>()];
            let unpacked = unpack(begin, &pack(begin, &times, &columns)).unwrap();
            prop_assert_eq!(&unpacked.times, &times);
            prop_assert_eq!(unpacked.columns(), 2);
            prop_assert_eq!(unpacked.column(0).unwrap(), columns[0].clone());
            prop_assert_eq!(unpacked.column(1).unwrap(), columns[1].clone());
            prop_assert_eq!(unpacked.column(2), None);
        }

        #[test]
        fn arbitrary_bytes_are_refused_or_read_but_never_a_panic(bytes: Vec<u8>, plain: Vec<u8>) {
            let _ = unpack(0, &bytes);
            let mut encoder = DeflateEncoder::new(Vec::new(), LEVEL);
            encoder.write_all(&plain).unwrap();
            if let Ok(unpacked) = unpack(0, &encoder.finish().unwrap()) {
                for index in 0..unpacked.columns() {
                    prop_assert_eq!(unpacked.column(index).unwrap().len(), unpacked.times.len());
                }
            }
        }
    }

    #[test]
    fn what_hardly_changes_takes_hardly_any_room() {
        let times: Vec<i64> = (0..360).map(|tick| 1_700_000_000_000 + tick * 10_000).collect();
        let column = vec![8e9f32.to_bits(); 360];
        let packed = pack(1_700_000_000_000, &times, &[column.clone(), column]);
        assert!(packed.len() < 60, "{} bytes", packed.len());
    }

    #[test]
    fn a_damaged_piece_is_refused() {
        let packed = pack(0, &[1, 2, 3], &[vec![1, 2, 3]]);
        for length in 0..packed.len() {
            assert!(unpack(0, &packed[..length]).is_err(), "cut to {length}");
        }
    }
}
