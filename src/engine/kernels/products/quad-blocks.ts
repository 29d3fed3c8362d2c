/** Which block of a product four lanes share (quad-scheme.ts). */
import type { TnShape } from './scheme';

/** Rows that each lane has for itself, and columns that all four have in common. */
export interface QuadBlock {
  own: number;
  shared: number;
}

/** Blocks at least, so that all cores have some. */
const LEAST_BLOCKS = 8;

/**
 * What four steps of the reduction cost a block, as measured on SwiftShader: a load of four values, a multiply-add of four, and
 * handing out what the lanes have in common.
 */
const LOAD = 12;
const MULTIPLY = 1;
const HAND_OUT = 0.5;

const costOf = ({ own, shared }: QuadBlock, rows: number, columns: number) => {
  const blocks = Math.ceil(rows / (4 * own)) * Math.ceil(columns / shared);
  const each = LOAD * (own + shared / 4) + MULTIPLY * own * shared + HAND_OUT * shared;
  return Math.max(blocks, LEAST_BLOCKS) * each;
};

const BLOCKS = [1, 2, 4, 8].flatMap((own) => [4, 8, 16, 32].map((shared): QuadBlock => ({ own, shared })));

/**
 * Values of the whole result for each that a lane computes: large blocks take long to compile, which small products do not repay.
 * On SwiftShader those of more than 64 values take several times as long as others.
 */
const repaid = ({ own, shared }: QuadBlock): number => (own * shared > 64 ? 256 : 64);

interface Limits {
  /** Values that a lane computes at most. */
  values: number;
  /** Divides the shared columns, of which there are at most `most`. */
  step?: number;
  most?: number;
}

function best(rows: number, columns: number, values: number, fits: (block: QuadBlock) => boolean): QuadBlock {
  const cost = (block: QuadBlock) => costOf(block, rows, columns);
  const admissible = BLOCKS.filter(fits);
  const small = admissible.filter(
    (block) => block.own * block.shared <= Math.min(values, (rows * columns) / repaid(block)),
  );
  return (small.length > 0 ? small : admissible.slice(0, 1)).reduce((least, block) =>
    cost(block) < cost(least) ? block : least,
  );
}

/** The best block for so many rows and columns of a result. */
export const quadBlock = (rows: number, columns: number, { values, step = 4, most = 32 }: Limits): QuadBlock =>
  best(rows, columns, values, ({ shared }) => shared % step === 0 && shared <= most);

/** The same for TN, where lanes have either rows or columns of their own, and read them in fours. */
export function tnQuadBlock(rows: number, columns: number, { values }: Limits): NonNullable<TnShape['block']> {
  const inFours = ({ own }: QuadBlock) => own % 4 === 0;
  const [p, q] = [best(rows, columns, values, inFours), best(columns, rows, values, inFours)];
  return costOf(p, rows, columns) < costOf(q, columns, rows) ? { lanes: 'p', ...p } : { lanes: 'q', ...q };
}
