/**
 * The pieces of a SentencePiece model (`tokenizer.model`), a protocol buffer: field 1 of the message, once for each piece, with its
 * text (1), score (2) and type (3); https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
 */

export interface Piece {
  text: string;
  score: number;
  /** 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte */
  type: number;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** In the order of their ids; null if the bytes are no such model. */
export function sentencePieces(bytes: Uint8Array): Piece[] | null {
  try {
    const pieces: Piece[] = [];
    for (const { field, value } of fieldsOf(bytes)) {
      if (field === 1 && value instanceof Uint8Array) pieces.push(pieceOf(value));
    }
    return pieces.length > 0 ? pieces : null;
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof TypeError) return null;
    throw cause;
  }
}

function pieceOf(bytes: Uint8Array): Piece {
  const piece: Piece = { text: '', score: 0, type: 1 };
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1 && value instanceof Uint8Array) piece.text = decoder.decode(value);
    if (field === 2 && value instanceof DataView) piece.score = value.getFloat32(0, true);
    if (field === 3 && typeof value === 'number') piece.type = value;
  }
  return piece;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws RangeError at the end of bytes that are cut off. */
function* fieldsOf(bytes: Uint8Array): Generator<{ field: number; value: number | Uint8Array | DataView | null }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('cut off');
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new RangeError('a number without an end');
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new RangeError('cut off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const field = Math.floor(key / 8);
    switch (key % 8) {
      case VARINT:
        yield { field, value: varint() };
        break;
      case FIXED64:
        take(8);
        yield { field, value: null };
        break;
      case BYTES:
        yield { field, value: take(varint()) };
        break;
      case FIXED32: {
        const four = take(4);
        yield { field, value: new DataView(four.buffer, four.byteOffset, 4) };
        break;
      }
      default:
        throw new RangeError('a field of unknown type');
    }
  }
}
