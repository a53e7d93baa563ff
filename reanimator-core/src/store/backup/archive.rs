//! The little of `tar` (POSIX ustar) that a backup needs: plain files by name, one after the other.

use std::io::{self, Read, Write};

const BLOCK: usize = 512;
/// Eleven octal digits.
const LARGEST_MEMBER: u64 = (1 << 33) - 1;
/// What may follow the end: `tar` fills up to its record of 20 blocks.
const LONGEST_REST: u64 = 1 << 20;

/// Writes an archive.
pub(super) struct Writer<W: Write> {
    out: W,
    at: i64,
}

impl<W: Write> Writer<W> {
    /// An archive whose members are of that second.
    pub(super) fn new(out: W, at: i64) -> Self {
        Self { out, at }
    }

    /// Adds a file of exactly `size` bytes.
    pub(super) fn member(&mut self, name: &str, size: u64, from: &mut impl Read) -> io::Result<()> {
        self.out.write_all(&header(name, size, self.at)?)?;
        if io::copy(&mut from.take(size), &mut self.out)? != size {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a file grew shorter while it was packed"));
        }
        self.out.write_all(&[0; BLOCK][..padding(size)])
    }

    /// Ends the archive; gives what was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        Ok(self.out)
    }
}

/// Reads an archive, each member once.
pub(super) struct Reader<R: Read> {
    from: R,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from }
    }

    /// The next member's name and size, unless this is the end. The one before was read with [`copy`](Self::copy).
    pub(super) fn next(&mut self) -> io::Result<Option<(String, u64)>> {
        let mut header = [0; BLOCK];
        self.from.read_exact(&mut header)?;
        if header == [0; BLOCK] {
            return Ok(None);
        }
        let plain_file = matches!(header[156], b'0' | 0) && header[345] == 0;
        if octal(&header[148..156]) != Some(sum(&header)) || !plain_file {
            return Err(broken("it holds something else than plain files"));
        }
        let name = header[..100].split(|byte| *byte == 0).next().unwrap_or_default();
        let name = std::str::from_utf8(name).map_err(|_| broken("a name in it is not readable"))?;
        let size = octal(&header[124..136]).ok_or_else(|| broken("a size in it is not readable"))?;
        Ok(Some((name.to_owned(), size)))
    }

    /// The member's content, all `size` bytes of it.
    pub(super) fn copy(&mut self, size: u64, to: &mut impl Write) -> io::Result<()> {
        let copied = io::copy(&mut (&mut self.from).take(size), to)?;
        if copied != size {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ends within a file"));
        }
        self.from.read_exact(&mut [0; BLOCK][..padding(size)])
    }

    /// Reads up to the very end; gives what was read from.
    pub(super) fn finish(mut self) -> io::Result<R> {
        let rest = io::copy(&mut (&mut self.from).take(LONGEST_REST), &mut io::sink())?;
        if rest == LONGEST_REST { Err(broken("something follows its end")) } else { Ok(self.from) }
    }
}

fn header(name: &str, size: u64, at: i64) -> io::Result<[u8; BLOCK]> {
    if size > LARGEST_MEMBER || name.len() >= 100 {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a file is too large for a backup"));
    }
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000600");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, &format!("{:011o}", at.clamp(0, 0o77_777_777_777)));
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum = format!("{:06o}\0 ", sum(&header));
    header[148..156].copy_from_slice(sum.as_bytes());
    Ok(header)
}

/// The sum of all bytes, with that of the sum itself as blanks.
fn sum(header: &[u8; BLOCK]) -> u64 {
    let counted = |(place, byte): (usize, &u8)| if (148..156).contains(&place) { 32 } else { u64::from(*byte) };
    header.iter().enumerate().map(counted).sum()
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    u64::from_str_radix(text.trim_matches(['\0', ' ']), 8).ok()
}

fn padding(size: u64) -> usize {
    // Less than a block.
    ((BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64) as usize
}

fn broken(cause: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}
