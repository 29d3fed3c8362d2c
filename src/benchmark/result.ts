/**
 * What the benchmark of a graphics card gives: one JSON line that people can send around. The schema is the contract; whoever reads
 * results of other people checks them with `readResult`.
 */
import * as v from 'valibot';

/** Rises when a field changes its meaning or a shape its size: results of different versions cannot be compared. */
export const BENCHMARK_VERSION = 1;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const positive = v.pipe(v.number(), v.minValue(0), v.finite());

/** The middle one of a few measurements, with the smallest and the largest. */
const spread = v.strictObject({ median: positive, least: positive, most: positive });

const adapter = v.strictObject({
  vendor: v.string(),
  architecture: v.string(),
  description: v.string(),
  /** A CPU computes: the shapes below are reduced. */
  software: v.boolean(),
  features: v.array(v.string()),
  /** Lanes of a subgroup, at least and at most; null where the browser does not say. */
  subgroup_sizes: v.nullable(v.tuple([v.number(), v.number()])),
  limits: v.record(v.string(), v.number()),
});

const floors = v.strictObject({
  /** Microseconds a dispatch of an empty kernel takes, with so many a submit. */
  dispatch_32_us: spread,
  dispatch_500_us: spread,
  /** Microseconds a copy of 1 kB between buffers takes. */
  copy_us: spread,
  /** Microseconds a submit of one empty dispatch takes. */
  submit_us: spread,
  /** Milliseconds from asking for four bytes until they are in JavaScript. */
  map_ms: spread,
  /** Bytes read and written a second by a copy of four values a thread, in 10⁹. */
  bandwidth_gb_s: spread,
  /** Fused multiply-adds in registers, two operations each, in 10¹² a second. */
  f32_tflops: spread,
  f16_tflops: v.nullable(spread),
});

const product = v.strictObject({
  /** y = x·Wᵀ (NT), dx = dy·W (NN) or dW = dyᵀ·x (TN), for W of [n, k] and m rows. */
  kind: v.picklist(['NT', 'NN', 'TN']),
  format: v.string(),
  m: count,
  n: count,
  k: count,
  ms: positive,
  tflops: positive,
  /** Of the measured f32 peak. */
  share: positive,
  /** Largest difference from a CPU's result, relative to its largest value; null where it was not compared. */
  error: v.nullable(positive),
});

const step = v.strictObject({
  model: v.string(),
  format: v.string(),
  batch: count,
  length: count,
  ms: spread,
  tokens_per_second: positive,
  dispatches: count,
  submits: count,
  bind_groups: count,
  /** Milliseconds JavaScript takes to record a step. */
  js_ms: positive,
  /** GPU bytes allocated at the most, weights included. */
  bytes: count,
});

const decode = v.strictObject({
  model: v.string(),
  format: v.string(),
  prompt: count,
  prefill_tokens_per_second: positive,
  /** Of one answer. */
  decode_tokens_per_second: positive,
});

/** What the device gives, below the page. */
export const measuredSchema = v.strictObject({
  /** True if shapes were reduced, as on a CPU: such results say nothing about a card. */
  reduced: v.boolean(),
  seconds: positive,
  floors,
  products: v.array(product),
  /** LoRA of rank 16 on all linear layers, with random weights. */
  steps: v.array(step),
  decode: v.array(decode),
  /** Losses of three steps of one small run: the same on every card, so that a wrong result is not a fast one. */
  fingerprint: v.strictObject({ losses: v.array(v.number()), expected: v.array(v.number()), agrees: v.boolean() }),
  /** Tokens a second in consecutive windows of the same training: falls where a card gets too hot. */
  sustained: v.nullable(
    v.strictObject({ model: v.string(), window_seconds: positive, tokens_per_second: v.array(positive) }),
  ),
  /** What was not measured, and why. */
  left_out: v.array(v.strictObject({ what: v.string(), why: v.string() })),
});

export const resultSchema = v.strictObject({
  tabtune_benchmark: v.literal(BENCHMARK_VERSION),
  app: v.string(),
  when: v.pipe(v.string(), v.isoTimestamp()),
  adapter,
  browser: v.string(),
  /** The tab was in view all the time; a hidden one is slowed down by the browser. */
  visible: v.boolean(),
  ...measuredSchema.entries,
});

export type Measured = v.InferOutput<typeof measuredSchema>;
export type BenchmarkResult = v.InferOutput<typeof resultSchema>;
export type Spread = v.InferOutput<typeof spread>;
export type Floors = v.InferOutput<typeof floors>;
export type ProductRow = v.InferOutput<typeof product>;
export type StepRow = v.InferOutput<typeof step>;
export type DecodeRow = v.InferOutput<typeof decode>;

/** The parts of the benchmark, in the order in which they run. */
export const stages = ['floors', 'products', 'fingerprint', 'models'] as const;
export type Stage = (typeof stages)[number];

/** How far a benchmark is. */
export interface BenchmarkProgress {
  stage: Stage;
  /** What is measured now, such as `SmolLM2-135M bf16 4×256`. */
  what: string;
  /** Of this stage. */
  done: number;
  total: number;
}

/** A result on one line, with no more digits than are measured. */
export function asLine(result: BenchmarkResult): string {
  return JSON.stringify(result, (_, value) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value,
  );
}

/** Reads a line of somebody else. Throws a ValiError that names the first field that is wrong. */
export const readResult = (line: string): BenchmarkResult => v.parse(resultSchema, JSON.parse(line));
