//! The last of what was shown: as much as is kept, and where it begins in all that ever was.

use std::collections::VecDeque;

use bytes::Bytes;

/// What was shown lately. Each byte has a number of its own, counted from the terminal's beginning.
#[derive(Debug)]
pub(super) struct Ring {
    start: u64,
    bytes: VecDeque<u8>,
    most: usize,
}

impl Ring {
    /// A ring that keeps `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { start: 0, bytes: VecDeque::new(), most }
    }

    /// The number of the first byte that is kept.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// The number that the next byte will have: how many there ever were.
    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Adds what was shown; the oldest goes.
    pub(super) fn push(&mut self, piece: &[u8]) {
        let skipped = piece.len().saturating_sub(self.most);
        let piece = &piece[skipped..];
        let goes = (self.bytes.len() + piece.len()).saturating_sub(self.most).min(self.bytes.len());
        self.bytes.drain(..goes);
        self.bytes.extend(piece);
        self.start += (goes + skipped) as u64;
    }

    /// At most `most` bytes from number `at` on; none where that is gone or not there yet.
    pub(super) fn read(&self, at: u64, most: usize) -> Option<Bytes> {
        let from = usize::try_from(at.checked_sub(self.start)?).ok()?;
        if from >= self.bytes.len() {
            return None;
        }
        let to = (from + most).min(self.bytes.len());
        Some(self.bytes.range(from..to).copied().collect())
    }

    /// Where somebody who has seen nothing begins: at the first, or, where some is gone, behind the next end of a line, so
    /// that neither a letter nor an order to the terminal begins in its middle.
    pub(super) fn beginning(&self) -> u64 {
        const LINE: usize = 4096;
        if self.start == 0 {
            return 0;
        }
        let end_of_line = self.bytes.iter().take(LINE).position(|byte| *byte == b'\n');
        self.start + end_of_line.map_or(0, |at| at as u64 + 1)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_and_the_numbers_stay() {
        let mut ring = Ring::new(8);
        ring.push(b"abcdef");
        assert_eq!((ring.start(), ring.end(), ring.beginning()), (0, 6, 0));
        ring.push(b"gh\nij");
        assert_eq!((ring.start(), ring.end()), (3, 11));
        assert_eq!(ring.read(3, 100).unwrap(), "defgh\nij");
        assert_eq!(ring.read(9, 1).unwrap(), "i");
        assert_eq!(ring.beginning(), 9);
        assert_eq!((ring.read(2, 5), ring.read(11, 5)), (None, None));
        ring.push(b"0123456789abcdef");
        assert_eq!((ring.start(), ring.end()), (19, 27));
        assert_eq!(ring.read(19, 100).unwrap(), "89abcdef");
    }
}
