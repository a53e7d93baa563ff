/** A file that is handed over in pieces: what was sent stays sent, and the rest follows whenever that is. */
import { isTexts, keep, recall } from '../kept';
import { api } from './client';
import type { Upload } from './types';

/** So much is sent at once: large enough to be quick, small enough to lose little. */
const PIECE_BYTES = 8 * 2 ** 20;

/** Under this the browser remembers how a file is called at the server. */
const keyOf = ({ name, size, lastModified }: File): string => `upload:${name}:${size}:${lastModified}`;

/** What is there of a file already; null where it was never begun, or is gone. */
export async function begun(file: File): Promise<Upload | null> {
  const known = recall(keyOf(file), isTexts)?.[0];
  if (known === undefined) return null;
  try {
    const upload = await api.upload(known);
    return upload.size === file.size ? upload : null;
  } catch {
    // It was put on a storage or dropped meanwhile: it begins anew.
    keep(keyOf(file), null);
    return null;
  }
}

/** Hands over what is missing of a file, and tells after each piece how much is there. */
export async function handOver(
  file: File,
  tell: (upload: Upload) => void,
  signal: AbortSignal,
): Promise<Upload> {
  let upload = (await begun(file)) ?? (await api.beginUpload(file.name, file.size));
  keep(keyOf(file), [upload.id]);
  tell(upload);
  while (!upload.complete && upload.offset < file.size) {
    const piece = file.slice(upload.offset, upload.offset + PIECE_BYTES);
    upload = await api.appendUpload(upload.id, upload.offset, piece, signal);
    tell(upload);
  }
  return upload;
}

/** Drops what was handed over. */
export async function drop(file: File, upload: Upload): Promise<void> {
  keep(keyOf(file), null);
  await api.dropUpload(upload.id);
}
