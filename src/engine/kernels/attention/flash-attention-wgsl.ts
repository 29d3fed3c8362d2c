/**
 * WGSL of attention by tiles in workgroup memory, after FlashAttention-2 (Dao, 2023): a workgroup has 64 rows (or, for the
 * gradients of keys and values, 64 keys) of its own and takes the others a tile at a time. Rows are numbered as in
 * attention-wgsl.ts. Three kernels have the same two products:
 *
 *                     own    others   weights from    sums
 *   forward           rows   keys     q·k             o  = p · v, online softmax
 *   query gradient    rows   keys     q·k, dO·v       dq = ds · k
 *   key/value         keys   rows     k·q, v·dO       dv = p · dO, dk = ds · q
 *
 * The 256 threads are 16 across by 16 down. In the first product a thread has 4 of its own times OTHERS / 16 others, both read
 * through workgroup memory 16 columns at a time; the weights are exchanged there, and in the second product it sums up
 * the same 4 times some quads of the head's width. Every sum has one thread and one order: equal runs give equal bits.
 */
import { lines, range } from '../products/matmul-wgsl';
import {
  earliest,
  FORWARD,
  GRADIENT_INPUTS,
  type HeadWidth,
  head,
  LOWEST,
  MASKED,
  pairOf,
  row,
  SEEN,
  score,
} from './attention-wgsl';

export interface FlashTile extends HeadWidth {
  /** Rows or keys taken at a time: 64, or 32 where workgroup memory is small. */
  others: 64 | 32;
  /** Parts of a head's width, each summed up by a workgroup of its own that computes the weights again. */
  slices: number;
}

/** Rows, or keys, of a workgroup. */
export const OWN = 64;
/** Quads of the width that the first product reads at a time, in rows of own and of others; the fifth avoids bank conflicts. */
const DEPTH = 4;
const PITCH = DEPTH + 1;
/** The exchanged weights: a row of 16 quads for each of the others, and one against bank conflicts. */
const HELD = OWN / 4 + 1;

export const widthInQuads = ({ quads, units }: HeadWidth) => (quads ? units : Math.ceil(units / 4));

/** Quads of a slice, and how many of them each of 16 threads sums up. */
function sliceOf(tile: FlashTile) {
  const size = Math.ceil(widthInQuads(tile) / tile.slices);
  return { size, each: Math.ceil(size / 16) };
}

const blockQuads = (others: number) => OWN * DEPTH + others * PITCH;

/** Workgroup memory that a kernel takes: the block, the exchanged weights, and for each row its range, lse and δ. */
export const flashBytes = (others: 64 | 32) => 16 * (blockQuads(others) + others * HELD) + 16 * others + 16;

/** How a vector's quad is read from a buffer, and one of its own written: `d` is its number, `at` the vector's offset. */
function access(tile: HeadWidth, reads: string[], writes: string[]): string {
  const width = widthInQuads(tile);
  const whole = tile.quads && width % DEPTH === 0;
  const read = (name: string) =>
    tile.quads
      ? `fn read_${name}(at: u32, d: u32) -> vec4f { ${whole ? '' : `if (d >= ${width}u) { return vec4f(0.0); } `}return ${name}[at + d]; }`
      : `fn read_${name}(at: u32, d: u32) -> vec4f {
  var x = vec4f(0.0);
  for (var i = 0u; i < 4u; i++) { if (d * 4u + i < N) { x[i] = ${name}[at + d * 4u + i]; } }
  return x;
}`;
  const write = (name: string) =>
    tile.quads
      ? `fn write_${name}(at: u32, d: u32, x: vec4f) { if (d < ${width}u) { ${name}[at + d] = x; } }`
      : `fn write_${name}(at: u32, d: u32, x: vec4f) {
  for (var i = 0u; i < 4u; i++) { if (d * 4u + i < N) { ${name}[at + d * 4u + i] = x[i]; } }
}`;
  return [...reads.map(read), ...writes.map(write)].join('\n');
}

/** Declarations, and the threads' places: `tx` across, `ty` down, `own` the first of the workgroup's rows or keys. */
function begin(tile: FlashTile, buffers: [string, string, string?][], owners: 'rows' | 'keys', longestFirst: boolean) {
  const { others } = tile;
  const floats = buffers.filter(([, , type]) => type === undefined);
  const named = (kind: string) => floats.filter(([, how]) => how === kind).map(([name]) => name);
  const count = owners === 'rows' ? 'rows' : 'u.keys';
  return `${head(tile, buffers)}
${SEEN}
${score(tile)}
${access(tile, named('read'), named('read_write'))}
var<workgroup> block: array<vec4f, ${blockQuads(others)}>;
var<workgroup> held: array<vec4f, ${others * HELD}>;
var<workgroup> firstSeen: atomic<u32>;
var<workgroup> endSeen: atomic<u32>;
var<workgroup> bounds: vec2u;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u) {
  let ty = local / 16u;
  let tx = local % 16u;
  let id = wg.y * groups.x + wg.x;
  let rows = u.queries * u.group;
  let tiles = (${count} + ${OWN - 1}u) / ${OWN}u;
  let slice = id % ${tile.slices}u * ${sliceOf(tile).size}u;
${pairOf(`(id / ${tile.slices}u)`, 'tiles')}
  let own = ${longestFirst ? '(tiles - 1u - tile)' : 'tile'} * ${OWN}u;`;
}

/** Offsets of the vectors of a row and of a key, clamped to those there are. */
const rowPlace = (index: string) =>
  `((b * u.queries + min(${index}, rows - 1u) / u.group) * u.heads + kvHead * u.group + min(${index}, rows - 1u) % u.group) * N`;
const keyPlace = (index: string) => `((b * u.keys + min(${index}, u.keys - 1u)) * u.kvHeads + kvHead) * N`;

/** The others are kept in another order than theirs, so that neighbouring threads, each with some in a row, read neighbouring places. */
const slotOf = (index: string, each: number) => `(${index} % ${each}u * 16u + ${index} / ${each}u)`;
const indexOf = (slot: string, each: number) => `(${slot} % 16u * ${each}u + ${slot} / 16u)`;

/** {name}{i}_{c} += own vector i · other vector c, over the whole width; ends without a barrier. */
function dots(
  tile: FlashTile,
  name: string,
  [own, ownPlace]: [buffer: string, placeOf: (index: string) => string],
  [other, otherPlace]: [buffer: string, placeOf: (index: string) => string],
): string {
  const each = tile.others / 16;
  const fill = `block[slot_${name}] = read_${other}(other_${name}, d + local % ${DEPTH}u);`;
  return `${lines(4, (i) =>
    range(each)
      .map((c) => `    var ${name}${i}_${c} = 0.0;`)
      .join(''),
  )}
    let own_${name} = ${ownPlace(`(own + local / ${DEPTH}u)`)};
    let other_${name} = ${otherPlace(`(start + local / ${DEPTH}u)`)};
    let slot_${name} = ${OWN * DEPTH}u + ${slotOf(`(local / ${DEPTH}u)`, each)} * ${PITCH}u + local % ${DEPTH}u;
    for (var d = 0u; d < ${widthInQuads(tile)}u; d += ${DEPTH}u) {
      workgroupBarrier();
      block[local] = read_${own}(own_${name}, d + local % ${DEPTH}u);
      ${tile.others === 64 ? fill : `if (local < ${tile.others * DEPTH}u) { ${fill} }`}
      workgroupBarrier();
      for (var i = 0u; i < ${DEPTH}u; i++) {
${lines(4, (i) => `        let a${i} = block[(ty * 4u + ${i}u) * ${DEPTH}u + i];`)}
${lines(each, (c) => `        let b${c} = block[${OWN * DEPTH}u + (${c * 16}u + tx) * ${PITCH}u + i];`)}
${lines(4, (i) =>
  lines(
    each,
    (c) =>
      `        ${name}${i}_${c} = ${['x', 'y', 'z', 'w'].reduce((sum, part) => `fma(a${i}.${part}, b${c}.${part}, ${sum})`, `${name}${i}_${c}`)};`,
  ),
)}
      }
    }`;
}

/** Leaves the weights {name}{i}_{c} where `mix` reads them; a barrier follows there, and one must have come before. */
const hold = (tile: FlashTile, name: string) =>
  lines(
    tile.others / 16,
    (c) =>
      `    held[(${c * 16}u + tx) * ${HELD}u + ty] = vec4f(${range(4)
        .map((i) => `${name}${i}_${c}`)
        .join(', ')});`,
  );

/** {sum}{i}_{e} += Σ over the others of the held weight times the quads of their vectors in `buffer`. */
function mix(tile: FlashTile, sum: string, buffer: string, placeOf: (index: string) => string): string {
  const { others } = tile;
  const { size, each } = sliceOf(tile);
  let step: number = others;
  while (step * 16 * each > blockQuads(others)) step /= 2;
  return `    for (var firstSlot = 0u; firstSlot < ${others}u; firstSlot += ${step}u) {
      workgroupBarrier();
      for (var n = local; n < ${step * size}u; n += 256u) {
        let slot = firstSlot + n / ${size}u;
        block[n / ${size}u * ${16 * each}u + n % ${size}u] = read_${buffer}(${placeOf(indexOf('slot', others / 16))}, min(slice + n % ${size}u, ${widthInQuads(tile) - 1}u));
      }
      workgroupBarrier();
      for (var n = 0u; n < ${step}u; n++) {
        let w = held[(firstSlot + n) * ${HELD}u + ty];
${lines(each, (e) => `        let x${e} = block[n * ${16 * each}u + ${e * 16}u + tx];`)}
${lines(4, (i) => lines(each, (e) => `        ${sum}${i}_${e} += w[${i}] * x${e};`))}
      }
    }`;
}

const sums = (tile: FlashTile, name: string) =>
  lines(4, (i) =>
    range(sliceOf(tile).each)
      .map((e) => `  var ${name}${i}_${e} = vec4f(0.0);`)
      .join(''),
  );

/** Writes the four sums of a thread: those inside its slice, of rows or keys that there are. */
function store(
  tile: FlashTile,
  name: string,
  buffer: string,
  valid: (i: number) => string,
  place: (i: number) => string,
  factor = (_i: number) => '',
) {
  const { size, each } = sliceOf(tile);
  return lines(
    4,
    (i) => `  if (${valid(i)}) {
${lines(each, (e) => `    if (tx + ${e * 16}u < ${size}u) { write_${buffer}(${place(i)}, slice + tx + ${e * 16}u, ${name}${i}_${e}${factor(i)}); }`)}
  }`,
  );
}

/** The rows of a thread, and the range of keys that any row of the workgroup sees, from a multiple of 4: dropout draws for four keys. */
const ownRows = () => `${lines(4, (i) => row(i, 'own + ty * 4u'))}
  if (local == 0u) { atomicStore(&firstSeen, 0xffffffffu); atomicStore(&endSeen, 0u); }
  workgroupBarrier();
  if (tx == 0u) {
${lines(4, (i) => `    atomicMin(&firstSeen, seen${i}.x); atomicMax(&endSeen, seen${i}.y);`)}
  }
  workgroupBarrier();
  if (local == 0u) { bounds = vec2u(atomicLoad(&firstSeen) / 4u * 4u, atomicLoad(&endSeen)); }
  let range = workgroupUniformLoad(&bounds);`;

/** Dropout's factors m{i}_{c} of a thread's rows and the keys from `key` on; its keys lie within one group of four. */
const rowMasks = ({ dropout }: FlashTile, each: number) =>
  dropout
    ? lines(
        4,
        (i) => `    let quad${i} = kept(stat${i}, key / 4u);
${lines(each, (c) => `    let m${i}_${c} = quad${i}[key % 4u + ${c}u];`)}`,
      )
    : '';

const masked = ({ dropout }: FlashTile, i: number, c: number) => (dropout ? ` * m${i}_${c}` : '');

/** o and lse. */
export function flashForwardShader(tile: FlashTile): string {
  const each = tile.others / 16;
  const { each: columns } = sliceOf(tile);
  return `${begin(tile, FORWARD, 'rows', true)}
${ownRows()}
  var top = vec4f(${LOWEST});
  var total = vec4f(0.0);
${sums(tile, 'o')}
  for (var start = range.x; start < range.y; start += ${tile.others}u) {
${dots(tile, 's', ['q', rowPlace], ['k', keyPlace])}
    let key = start + tx * ${each}u;
${lines(4, (i) => lines(each, (c) => `    s${i}_${c} = select(${MASKED}, score(s${i}_${c}), key + ${c}u >= seen${i}.x && key + ${c}u < seen${i}.y);`))}
    workgroupBarrier();
    block[tx * 16u + ty] = vec4f(${range(4)
      .map((i) => range(each).reduce((most, c) => (most ? `max(${most}, s${i}_${c})` : `s${i}_${c}`), ''))
      .join(', ')});
    workgroupBarrier();
    var next = top;
    for (var n = 0u; n < 16u; n++) { next = max(next, block[n * 16u + ty]); }
    let shrink = exp(top - next);
    top = next;
${lines(4, (i) => lines(each, (c) => `    s${i}_${c} = exp(s${i}_${c} - next[${i}]);`))}
    total = total * shrink + vec4f(${range(4)
      .map((i) =>
        range(each)
          .map((c) => `s${i}_${c}`)
          .join(' + '),
      )
      .join(', ')});
${rowMasks(tile, each)}
${tile.dropout ? lines(4, (i) => lines(each, (c) => `    s${i}_${c} *= m${i}_${c};`)) : ''}
${hold(tile, 's')}
${lines(4, (i) => lines(columns, (e) => `    o${i}_${e} *= shrink[${i}];`))}
${mix(tile, 'o', 'v', (index) => keyPlace(`(start + ${index})`))}
  }
  workgroupBarrier();
  block[tx * 16u + ty] = total;
  workgroupBarrier();
  total = vec4f(0.0);
  for (var n = 0u; n < 16u; n++) { total += block[n * 16u + ty]; }
  let inverse = select(vec4f(0.0), 1.0 / total, total > vec4f(0.0));
  let ln = select(vec4f(0.0), top + log(total), total > vec4f(0.0));
${store(
  tile,
  'o',
  'o',
  (i) => `own + ty * 4u + ${i}u < rows`,
  (i) => `at${i}`,
  (i) => ` * inverse[${i}]`,
)}
  if (slice == 0u && tx == 0u) {
${lines(4, (i) => `    if (own + ty * 4u + ${i}u < rows) { lse[stat${i}] = ln[${i}]; }`)}
  }
}`;
}

/** A weight s and its score's gradient g from the two products; `of` is the row's (lse, δ). The bound keeps invisible keys finite. */
const weight = (
  tile: FlashTile,
  i: number,
  c: number,
  of: string,
  visible: string,
) => `    let score${i}_${c} = score(s${i}_${c});
    s${i}_${c} = select(0.0, exp(min(score${i}_${c} - ${of}.x, 0.0)), ${visible});
    g${i}_${c} = s${i}_${c} * (g${i}_${c}${masked(tile, i, c)} - ${of}.y) * slope(score${i}_${c});`;

/** dq. */
export function flashQueryShader(tile: FlashTile): string {
  const each = tile.others / 16;
  return `${begin(tile, [...GRADIENT_INPUTS, ['dq', 'read_write']], 'rows', true)}
${ownRows()}
${lines(4, (i) => `  let of${i} = stats[stat${i}];`)}
${sums(tile, 'dq')}
  for (var start = range.x; start < range.y; start += ${tile.others}u) {
${dots(tile, 's', ['q', rowPlace], ['k', keyPlace])}
${dots(tile, 'g', ['dO', rowPlace], ['v', keyPlace])}
    let key = start + tx * ${each}u;
${rowMasks(tile, each)}
${lines(4, (i) => lines(each, (c) => weight(tile, i, c, `of${i}`, `key + ${c}u >= seen${i}.x && key + ${c}u < seen${i}.y`)))}
${hold(tile, 'g')}
${mix(tile, 'dq', 'k', (index) => keyPlace(`(start + ${index})`))}
  }
${store(
  tile,
  'dq',
  'dq',
  (i) => `own + ty * 4u + ${i}u < rows`,
  (i) => `at${i}`,
)}
}`;
}

/** dk and dv. Tiles of rows in which nothing sees a key of the workgroup's are skipped. */
export function flashKeyValueShader(tile: FlashTile): string {
  const { others } = tile;
  const each = others / 16;
  const statOf = (index: string) =>
    `((b * u.queries + ${index} / u.group) * u.heads + kvHead * u.group + ${index} % u.group)`;
  return `var<workgroup> ranges: array<vec2u, ${others}>;
var<workgroup> numbers: array<vec2f, ${others}>;
${begin(tile, [...GRADIENT_INPUTS, ['dk', 'read_write'], ['dv', 'read_write']], 'keys', false)}
${sums(tile, 'dk')}
${sums(tile, 'dv')}
  let key = own + ty * 4u;
  for (var start = ${earliest('own')} * u.group; start < rows; start += ${others}u) {
    workgroupBarrier();
    if (local == 0u) { atomicStore(&endSeen, 0u); }
    workgroupBarrier();
    if (local < ${others}u) {
      let at = min(start + local, rows - 1u);
      let seen = seenBy(b * u.queries + at / u.group, start + local < rows);
      ranges[local] = seen;
      numbers[local] = stats[${statOf('at')}];
      if (seen.x < own + ${OWN}u && seen.y > own) { atomicMax(&endSeen, 1u); }
    }
    workgroupBarrier();
    if (local == 0u) { bounds = vec2u(0u, atomicLoad(&endSeen)); }
    if (workgroupUniformLoad(&bounds).y == 0u) { continue; }
${dots(tile, 's', ['k', keyPlace], ['q', rowPlace])}
${dots(tile, 'g', ['v', keyPlace], ['dO', rowPlace])}
${lines(
  each,
  (c) => `    let seen${c} = ranges[tx * ${each}u + ${c}u];
    let of${c} = numbers[tx * ${each}u + ${c}u];
${
  tile.dropout
    ? `    let row${c} = min(start + tx * ${each}u + ${c}u, rows - 1u);
    let quad${c} = kept(${statOf(`row${c}`)}, key / 4u);
${lines(4, (i) => `    let m${i}_${c} = quad${c}[${i}];`)}`
    : ''
}
${lines(4, (i) => `${weight(tile, i, c, `of${c}`, `key + ${i}u >= seen${c}.x && key + ${i}u < seen${c}.y`)}${tile.dropout ? `\n    s${i}_${c} *= m${i}_${c};` : ''}`)}`,
)}
${hold(tile, 's')}
${mix(tile, 'dv', 'dO', (index) => rowPlace(`(start + ${index})`))}
    workgroupBarrier();
${hold(tile, 'g')}
${mix(tile, 'dk', 'q', (index) => rowPlace(`(start + ${index})`))}
  }
${['dk', 'dv']
  .map((name) =>
    store(
      tile,
      name,
      name,
      (i) => `key + ${i}u < u.keys`,
      (i) => keyPlace(`(key + ${i}u)`),
    ),
  )
  .join('\n')}
}`;
}
