/** What a dispatch over segments (segments-wgsl.ts) knows of each: packed for the uniforms, and read from them. */
import { f, u } from '../../webgpu/dispatch';

interface Fields {
  rows: number;
  weight: number;
  rank?: number;
  column?: number;
  factor?: number;
  bias?: number;
  y?: { of: number; from: number };
  alpha?: number;
  tag?: number;
}

/** As segments-wgsl.ts reads them. */
export const segmentFields = (s: Fields) => [
  ...[s.rows, s.weight, s.rank ?? 0, s.column ?? 0].map(u),
  ...[s.factor ?? 0, s.bias ?? 0, s.y?.from ?? 0, s.y?.of ?? 0].map(u),
  ...[f(s.alpha ?? 1), u(s.tag ?? 0), u(0), u(0)],
];

/** Vectors of four words that a segment has among the uniforms. */
const FIELDS = 3;

/** As `segmentFields` packs them: `width` are the columns of H, `tiles` those of one row of tiles. */
export const segmentUniforms = (count: number, dropout = false) =>
  `m: u32, k: u32, width: u32, tiles: u32,${dropout ? ' seed: u32, step: u32, limit: u32, scale: f32,' : ''} segments: array<vec4u, ${FIELDS * count}>`;

const field = (index: number, s: string | number = 'segment') =>
  `u.segments[${typeof s === 'number' ? `${FIELDS * s + index}u` : `${FIELDS}u * ${s} + ${index}u`}]`;
export const rowsOf = (s?: string | number) => `${field(0, s)}.x`;
export const weightAt = (s?: string | number) => `${field(0, s)}.y`;
export const rankOf = (s?: string | number) => `${field(0, s)}.z`;
export const columnOf = (s?: string | number) => `${field(0, s)}.w`;
export const factorAt = (s?: string | number) => `${field(1, s)}.x`;
export const biasAt = (s?: string | number) => `${field(1, s)}.y`;
export const outAt = (s?: string | number) => `${field(1, s)}.z`;
export const strideOf = (s?: string | number) => `${field(1, s)}.w`;
export const tagOf = (s?: string | number) => `${field(2, s)}.y`;
export const alphaOf = (s?: string | number) => `bitcast<f32>(${field(2, s)}.x)`;
