//! The `age` format (<https://age-encryption.org/v1>) with a passphrase: a header that holds a random file key under the
//! passphrase, then the content in chunks of 64 KiB, each sealed with its place and whether it is the last one.
//!
//! So a chunk that was changed, moved or left out is noticed, and so is an end that is missing. Only what a backup needs
//! of the format is here; the `age` program opens what this writes, and this what `age -p` writes.

use std::io::{self, Read, Write};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce, aead::Aead};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result};

use super::unlike;

const VERSION: &str = "age-encryption.org/v1";
const SALT_LABEL: &[u8] = b"age-encryption.org/v1/scrypt";
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

/// 2^17 blocks of 1 KiB, 128 MiB: what OWASP's password storage cheat sheet asks of scrypt at the least. It takes some
/// tenths of a second.
const WORK: u8 = 17;
/// What a file may ask for at the most, 1 GiB: the `age` program itself takes 2^18.
const MOST_WORK: u8 = 20;

/// A header with a passphrase takes some 150 bytes.
const LONGEST_LINE: usize = 200;

type Key = Zeroizing<[u8; 32]>;
type FileKey = Zeroizing<Vec<u8>>;

/// Encrypts what is written to it.
pub(super) struct Encryptor<W: Write> {
    out: W,
    chunks: Chunks,
    /// At most a chunk, which waits for more to come: the last one is sealed as such.
    waiting: Zeroizing<Vec<u8>>,
}

impl<W: Write> Encryptor<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// `Storage` where it cannot be written.
    pub(super) fn begin(mut out: W, passphrase: &SecretString) -> Result<Self> {
        let failed = |error| Error::new(ErrorKind::Storage, "write the backup").from_source(error);
        let (file_key, salt, nonce) = (Zeroizing::new(random::<16>()?.to_vec()), random::<16>()?, random::<16>()?);
        let wrapped = seal(&*wrapping_key(passphrase, &salt, WORK)?, [0; 12], &file_key)?;
        let head = format!("{VERSION}\n-> scrypt {} {WORK}\n{}\n---", BASE64.encode(salt), BASE64.encode(wrapped));
        let sum = BASE64.encode(header_sum(&file_key, head.as_bytes())?);
        out.write_all(format!("{head} {sum}\n").as_bytes()).map_err(failed)?;
        out.write_all(&nonce).map_err(failed)?;
        let chunks = Chunks { key: derive(&file_key, &nonce, b"payload")?, number: 0 };
        Ok(Self { out, chunks, waiting: Zeroizing::new(Vec::with_capacity(CHUNK)) })
    }

    /// Writes the last chunk; gives what was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let sealed = self.chunks.seal(&self.waiting, true)?;
        self.out.write_all(&sealed)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Encryptor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.len() == CHUNK && !bytes.is_empty() {
            let sealed = self.chunks.seal(&self.waiting, false)?;
            self.out.write_all(&sealed)?;
            self.waiting.clear();
        }
        let taken = bytes.len().min(CHUNK - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// What waits for the rest of its chunk goes out with it.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Decrypts what it is read from.
pub(super) struct Decryptor<R: Read> {
    from: R,
    chunks: Chunks,
    plain: Zeroizing<Vec<u8>>,
    given: usize,
    /// The sealed chunk after the one that was opened: where it is empty, that was the last one.
    next: Vec<u8>,
}

impl<R: Read> Decryptor<R> {
    /// Reads the header and opens the file key.
    ///
    /// # Errors
    /// `Invalid` where the passphrase is wrong, or it is no such file.
    pub(super) fn begin(mut from: R, passphrase: &SecretString) -> Result<Self> {
        if line(&mut from).ok().as_deref() != Some(VERSION) {
            return Err(unlike("it is no backup of Reanimator: it does not begin as the age format does"));
        }
        let (stanza, body, end) = (line(&mut from)?, line(&mut from)?, line(&mut from)?);
        let mut words = stanza.strip_prefix("-> scrypt ").unwrap_or_default().split(' ');
        let (salt, work) = (words.next().unwrap_or_default(), words.next().and_then(|word| word.parse::<u8>().ok()));
        let salt = BASE64.decode(salt).ok().filter(|salt| salt.len() == 16);
        let (Some(salt), Some(work), None) = (salt, work, words.next()) else {
            return Err(unlike("it is not encrypted with a passphrase"));
        };
        if !(1..=MOST_WORK).contains(&work) {
            return Err(unlike("it asks for more memory to check its passphrase than this program gives"));
        }
        let wrapped = BASE64.decode(&body).map_err(|_| unlike("its header is damaged"))?;
        let file_key = open(&*wrapping_key(passphrase, &salt, work)?, [0; 12], &wrapped)
            .filter(|key| key.len() == 16)
            .ok_or_else(|| {
                Error::new(ErrorKind::Invalid, "open the backup")
                    .because("the passphrase is not the one that it was made with")
                    .next("give the passphrase that was typed when the backup was made")
            })?;
        let head = format!("{VERSION}\n{stanza}\n{body}\n---");
        let sum = end.strip_prefix("--- ").and_then(|sum| BASE64.decode(sum).ok());
        let right =
            |sum: &Vec<u8>| header_mac(&file_key, head.as_bytes()).is_ok_and(|mac| mac.verify_slice(sum).is_ok());
        sum.filter(right).ok_or_else(|| unlike("its header is damaged"))?;
        let mut nonce = [0; 16];
        from.read_exact(&mut nonce).map_err(|error| unlike("it is cut off").from_source(error))?;
        let chunks = Chunks { key: derive(&file_key, &nonce, b"payload")?, number: 0 };
        let next = sealed_chunk(&mut from).map_err(|error| unlike("it cannot be read").from_source(error))?;
        Ok(Self { from, chunks, plain: Zeroizing::default(), given: 0, next })
    }

    /// Opens the next chunk; says whether there was one.
    fn advance(&mut self) -> io::Result<bool> {
        if self.next.is_empty() {
            // Without its last chunk nothing was opened at all.
            return if self.chunks.number == 0 { Err(broken("it is cut off")) } else { Ok(false) };
        }
        let after = if self.next.len() == CHUNK + TAG { sealed_chunk(&mut self.from)? } else { Vec::new() };
        let sealed = std::mem::replace(&mut self.next, after);
        self.plain = self.chunks.open(&sealed, self.next.is_empty())?;
        self.given = 0;
        Ok(true)
    }
}

impl<R: Read> Read for Decryptor<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.plain.len() {
            if out.is_empty() || !self.advance()? {
                return Ok(0);
            }
        }
        let taken = out.len().min(self.plain.len() - self.given);
        out[..taken].copy_from_slice(&self.plain[self.given..self.given + taken]);
        self.given += taken;
        Ok(taken)
    }
}

/// The chunks of the content, each under a nonce of its own: its number, and whether it is the last one.
struct Chunks {
    key: Key,
    number: u64,
}

impl Chunks {
    fn seal(&mut self, plain: &[u8], last: bool) -> io::Result<Vec<u8>> {
        let nonce = self.nonce(last);
        seal(&self.key, nonce, plain).map_err(io::Error::other)
    }

    fn open(&mut self, sealed: &[u8], last: bool) -> io::Result<Zeroizing<Vec<u8>>> {
        let (first, nonce) = (self.number == 0, self.nonce(last));
        let plain = open(&self.key, nonce, sealed).ok_or_else(|| broken("a part of it is damaged"))?;
        // Only empty content has an empty chunk.
        if plain.is_empty() && !first { Err(broken("a part of it is empty")) } else { Ok(plain) }
    }

    fn nonce(&mut self, last: bool) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.number.to_be_bytes());
        nonce[11] = u8::from(last);
        self.number += 1;
        nonce
    }
}

fn sealed_chunk(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut sealed = Vec::with_capacity(CHUNK + TAG);
    from.take((CHUNK + TAG) as u64).read_to_end(&mut sealed)?;
    Ok(sealed)
}

fn line(from: &mut impl Read) -> Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < LONGEST_LINE {
        from.read_exact(&mut byte).map_err(|error| unlike("it is cut off").from_source(error))?;
        match byte[0] {
            b'\n' => break,
            byte => line.push(byte),
        }
    }
    String::from_utf8(line).map_err(|_| unlike("its header is damaged"))
}

fn wrapping_key(passphrase: &SecretString, salt: &[u8], work: u8) -> Result<Key> {
    let attempt = "make a key of the passphrase";
    let labelled = [SALT_LABEL, salt].concat();
    let parameters = scrypt::Params::new(work, 8, 1)
        .map_err(|error| Error::new(ErrorKind::Internal, attempt).because(error.to_string()))?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(passphrase.expose_secret().as_bytes(), &labelled, &parameters, key.as_mut())
        .map_err(|error| Error::new(ErrorKind::Internal, attempt).because(error.to_string()))?;
    Ok(key)
}

/// HKDF with SHA-256, for 32 bytes (RFC 5869).
fn derive(secret: &[u8], salt: &[u8], label: &[u8]) -> Result<Key> {
    let extracted = Zeroizing::new(<[u8; 32]>::from(mac(salt)?.chain_update(secret).finalize().into_bytes()));
    let expanded = mac(extracted.as_ref())?.chain_update(label).chain_update([1]).finalize();
    Ok(Zeroizing::new(expanded.into_bytes().into()))
}

fn header_mac(file_key: &FileKey, head: &[u8]) -> Result<Hmac<Sha256>> {
    Ok(mac(derive(file_key, &[], b"header")?.as_ref())?.chain_update(head))
}

fn header_sum(file_key: &FileKey, head: &[u8]) -> Result<[u8; 32]> {
    Ok(header_mac(file_key, head)?.finalize().into_bytes().into())
}

fn mac(key: &[u8]) -> Result<Hmac<Sha256>> {
    <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key)
        .map_err(|error| Error::new(ErrorKind::Internal, "make a key").because(error.to_string()))
}

fn seal(key: &[u8; 32], nonce: [u8; 12], plain: &[u8]) -> Result<Vec<u8>> {
    ChaCha20Poly1305::new(key.into())
        .encrypt(&Nonce::from(nonce), plain)
        .map_err(|error| Error::new(ErrorKind::Internal, "encrypt the backup").because(error.to_string()))
}

fn open(key: &[u8; 32], nonce: [u8; 12], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    ChaCha20Poly1305::new(key.into()).decrypt(&Nonce::from(nonce), sealed).ok().map(Zeroizing::new)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(ErrorKind::Internal, "make a key").because(error.to_string()))?;
    Ok(bytes)
}

fn broken(cause: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}
