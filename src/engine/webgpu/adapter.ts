import type { Family, Kernels } from '../../base/kernels';

/** A left matrix of m×k values times a right one of k×n, by a subgroup of so many lanes. */
export interface MatrixShape {
  m: number;
  n: number;
  k: number;
  lanes: number;
}

/** What kernel variants may rely on for a device; set by device.ts, read by kernels. */
export interface AdapterTraits {
  /** SwiftShader and the like: lanes run on a CPU, barriers are slow, and kernels without workgroup memory win. */
  software: boolean;
  subgroups: boolean;
  f16: boolean;
  /** Bytes that logits may take at a time: with more of them, fewer passes over the output projection. */
  logitsBytes: number;
  /** The scheme that computes products (kernels/products/variants.ts), where it can; `auto`: by a rule for the device. */
  kernels: Kernels;
  /** With `auto`: what was timed to be best for a class of products (base/product-class.ts). */
  chosen?: Readonly<Record<string, Family>>;
  /** Matrices that subgroups multiply, f16 into f32; null where the device has none. */
  matrix: MatrixShape | null;
  /** Products in tiles round their inputs to f16, which needs the feature; gradients and sums stay f32. */
  half: boolean;
  /** Values of a product that a lane of a quad computes at most: some compilers take very long for more. */
  quadValues: number;
}

const SOFTWARE_LOGITS = 16 * 2 ** 20;
const GPU_LOGITS = 256 * 2 ** 20;

/** From the limits alone and not from free memory, so that a resumed run sums in the same order. */
export const logitsBytesOf = (
  {
    maxStorageBufferBindingSize,
    maxBufferSize,
  }: Pick<GPUSupportedLimits, 'maxStorageBufferBindingSize' | 'maxBufferSize'>,
  software: boolean,
): number => Math.min(software ? SOFTWARE_LOGITS : GPU_LOGITS, maxStorageBufferBindingSize, maxBufferSize);

/** Dawn's name; browsers have it behind a flag. */
export const SUBGROUP_MATRIX = 'chromium-experimental-subgroup-matrix';
/** Workgroup memory of kernels/products/matrix-scheme.ts, in bytes. */
const MATRIX_MEMORY = 24 * 1024;

const QUAD_VALUES = 64;

/** SwiftShader compiles 256 values in half a second, and gains by them; llvmpipe takes ten seconds, and gains nothing. */
export const quadValuesOf = ({ architecture }: Pick<GPUAdapterInfo, 'architecture'>): number =>
  architecture === 'swiftshader' ? 4 * QUAD_VALUES : QUAD_VALUES;

const traits = new WeakMap<GPUDevice, AdapterTraits>();

export function setAdapterTraits(device: GPUDevice, value: AdapterTraits): void {
  traits.set(device, value);
}

export function adapterTraits(device: GPUDevice): AdapterTraits {
  return (
    traits.get(device) ?? {
      software: true,
      subgroups: false,
      f16: false,
      logitsBytes: SOFTWARE_LOGITS,
      kernels: 'auto',
      matrix: null,
      half: false,
      quadValues: QUAD_VALUES,
    }
  );
}

/** Of an adapter's information, as far as WebGPU's types do not know it yet. */
interface MatrixInfo {
  subgroupMinSize?: number;
  subgroupMaxSize?: number;
  subgroupMatrixConfigs?: Iterable<
    Record<'componentType' | 'resultComponentType', string> & Record<'M' | 'N' | 'K', number>
  >;
}

/** Kernels know how many subgroups share a tile only where these have one size. */
export function matrixOf(info: object, { features, limits }: Pick<GPUDevice, 'features' | 'limits'>) {
  const { subgroupMinSize: lanes, subgroupMaxSize: most, subgroupMatrixConfigs: shapes = [] } = info as MatrixInfo;
  const has = ['shader-f16', 'subgroups', SUBGROUP_MATRIX].every((name) => features.has(name));
  const numbered = globalThis.navigator?.gpu?.wgslLanguageFeatures?.has('subgroup_id') === true;
  const room = limits.maxComputeWorkgroupStorageSize >= MATRIX_MEMORY;
  if (!has || !numbered || !room || !lanes || lanes !== most) return null;
  for (const { componentType, resultComponentType, M, N, K } of shapes) {
    if (componentType === 'f16' && resultComponentType === 'f32') return { m: M, n: N, k: K, lanes };
  }
  return null;
}

/** Switches f16 in tiles on or off, from the next dispatch that is recorded. */
export function setHalf(device: GPUDevice, half: boolean): void {
  const own = adapterTraits(device);
  if (half && !own.f16) throw new Error('This device has no shader-f16.');
  setAdapterTraits(device, { ...own, half });
}
