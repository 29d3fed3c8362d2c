/**
 * Just enough of WebAssembly's binary format for the searches of this folder. There, float32 is a type: JavaScript computes in float64
 * and rounds after every operation, which takes several times as long. And four groups are searched at once, one in each lane of a
 * vector (128-bit SIMD, which every browser with WebGPU has). Each lane's arithmetic is that of a single group.
 *
 * An expression is its code: `mul(a, b)` are the instructions of a, those of b, then the multiplication.
 */
export type Code = readonly number[];

const I32 = 0x7f;
const V128 = 0x7b;

/** LEB128 of a number without sign. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}

const simd = (opcode: number): number[] => [0xfd, ...leb(opcode)];
const unary =
  (opcode: number) =>
  (a: Code): Code => [...a, ...simd(opcode)];
const binary =
  (opcode: number) =>
  (a: Code, b: Code): Code => [...a, ...b, ...simd(opcode)];

export interface Local {
  get: Code;
  set(value: Code): Code;
}

const local = (index: number): Local => ({ get: [0x20, index], set: (value) => [...value, 0x21, index] });

export const v = {
  /** Four float32. */
  add: binary(0xe4),
  sub: binary(0xe5),
  mul: binary(0xe6),
  div: binary(0xe7),
  sqrt: unary(0xe3),
  abs: unary(0xe0),
  neg: unary(0xe1),
  /** `b < a ? b : a` and `a < b ? b : a`. */
  least: binary(0xea),
  largest: binary(0xeb),
  /** All bits of a lane, or none. */
  equal: binary(0x41),
  less: binary(0x43),
  greater: binary(0x44),
  and: binary(0x4e),
  /** `mask ? a : b` */
  select: (mask: Code, a: Code, b: Code): Code => [...a, ...b, ...mask, ...simd(0x52)],
  /** The same float32 in each lane. */
  constant: (value: number): Code => {
    const bytes = [...new Uint8Array(Float32Array.of(value, value, value, value).buffer)];
    return [...simd(0x0c), ...bytes];
  },
};

const i32 = {
  constant: (value: number): Code => {
    const bytes = [...new Uint8Array(Int32Array.of(value, value, value, value).buffer)];
    return [...simd(0x0c), ...bytes];
  },
  sub: binary(0xb1),
  min: binary(0xb6),
  max: binary(0xb8),
  toFloat: unary(0xfa),
};

/**
 * The nearest whole number within [low, high] as a float32. Adding 1.5 · 2^23 leaves it in the fraction's bits, halves to even. A
 * value of more than 22 bits, or none at all, counts as what those bits happen to say, as in ggml: searches that step out of range
 * depend on it.
 */
export const nearest = (value: Code, low: number, high: number): Code => {
  const bits = v.and(v.add(value, v.constant(12_582_912)), i32.constant(0x7fffff));
  const whole = i32.sub(bits, i32.constant(0x400000));
  return i32.toFloat(i32.max(i32.min(whole, i32.constant(high)), i32.constant(low)));
};

/** Sixteen bytes at an address in bytes, of an expression and a constant part. */
export const load = (address: Code, from: number): Code => [...address, ...simd(0x00), 4, ...leb(from)];
/** One float32, in each lane. */
export const loadOne = (address: Code, from: number): Code => [...address, ...simd(0x09), 2, ...leb(from)];
export const store = (address: Code, to: number, value: Code): Code => [
  ...address,
  ...value,
  ...simd(0x0b),
  4,
  ...leb(to),
];

/** Runs `body` with `counter` 0, step, 2 · step, … below `end`. */
export const loop = (counter: Local, step: number, end: number, body: Code): Code => [
  ...counter.set(int(0)),
  ...[0x03, 0x40],
  ...body,
  ...counter.set([...counter.get, ...int(step), 0x6a]),
  ...[...counter.get, ...int(end), 0x49],
  ...[0x0d, 0],
  0x0b,
];

export const ifAny = (mask: Code, body: Code): Code => [...mask, ...simd(0x53), 0x04, 0x40, ...body, 0x0b];

export const ZERO: Code = [0x41, 0];

/** A number below 2^31 that LEB128 with a sign writes as without, given one more byte where its top bit would be the sign. */
function int(value: number): Code {
  const bytes = leb(value);
  const last = bytes.at(-1)!;
  return [0x41, ...(last & 64 ? [...bytes.slice(0, -1), last | 128, 0] : bytes)];
}

export interface Routine {
  name: string;
  code: Code;
  counters: number;
  vectors: number;
}

/** A function without parameters. `make` is given its variables: counters of loops, and vectors. */
export function routine<C extends string, V extends string>(
  name: string,
  counters: readonly C[],
  vectors: readonly V[],
  make: (variables: Record<C | V, Local>) => Code[],
): Routine {
  const variables = Object.fromEntries([...counters, ...vectors].map((key, i) => [key, local(i)]));
  return {
    name,
    code: make(variables as Record<C | V, Local>).flat(),
    counters: counters.length,
    vectors: vectors.length,
  };
}

/** The routines over one page of memory, all zeros. */
export function assemble(routines: readonly Routine[]): { memory: Float32Array; run: Record<string, () => void> } {
  const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];
  const section = (id: number, items: readonly (readonly number[])[]) => {
    const body = [...leb(items.length), ...items.flat()];
    return [id, ...leb(body.length), ...body];
  };
  const bodies = routines.map(({ code, counters, vectors }) => {
    const body = [2, ...leb(counters), I32, ...leb(vectors), V128, ...code, 0x0b];
    return [...leb(body.length), ...body];
  });
  const bytes = [
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [[0x60, 0, 0]]),
    ...section(
      3,
      routines.map(() => [0]),
    ),
    ...section(5, [[1, 1, 1]]),
    ...section(7, [[...text('memory'), 2, 0], ...routines.map(({ name }, i) => [...text(name), 0, i])]),
    ...section(10, bodies),
  ];
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)));
  const { memory, ...run } = exports as { memory: WebAssembly.Memory } & Record<string, () => void>;
  return { memory: new Float32Array(memory.buffer), run };
}
