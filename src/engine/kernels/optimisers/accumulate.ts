/**
 * Gathers the gradients of many tensors into one flat buffer: flat[offset_i ..] = keep · flat[..] + grad_i, seven tensors
 * per dispatch (every WebGPU device allows eight storage buffers per stage). Clipping and AdamW then need one dispatch
 * each, however many tensors are trained. With `squared`, adds the squares of the values.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

const PER_DISPATCH = 7;

function shader(count: number, squared: boolean): string {
  const each = (f: (i: number) => string) => Array.from({ length: count }, (_, i) => f(i)).join('\n');
  return `struct Uniforms { keep: f32, ${Array.from({ length: count }, (_, i) => `end${i}: u32, offset${i}: u32`).join(', ')} }
@group(0) @binding(0) var<storage, read_write> flat: array<f32>;
${each((i) => `@group(0) @binding(${i + 1}) var<storage, read> g${i}: array<f32>;`)}
@group(0) @binding(${count + 1}) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.end${count - 1}) { return; }
  var value = 0.0;
  var at = 0u;
${each((i) => {
  const begin = i === 0 ? '0u' : `u.end${i - 1}`;
  return `  if (id >= ${begin} && id < u.end${i}) { value = g${i}[id - ${begin}]; at = u.offset${i} + id - ${begin}; }`;
})}
${squared ? '  value *= value;' : ''}
  // With keep = 0, an infinity must be forgotten too, so do not multiply.
  flat[at] = select(value, u.keep * flat[at] + value, u.keep != 0.0);
}`;
}

/** flat [N]; grads[i] goes to offsets[i]. `keep` 0 overwrites, 1 adds. */
export function accumulateGradients(
  flat: tf.Tensor,
  grads: tf.Tensor[],
  offsets: number[],
  keep: 0 | 1,
  squared = false,
): void {
  runInPlace(
    (backend) => {
      for (let first = 0; first < grads.length; first += PER_DISPATCH) {
        const part = grads.slice(first, first + PER_DISPATCH);
        let end = 0;
        const fields = part.flatMap((g, i) => {
          end += g.size;
          return [u(end), u(offsets[first + i]!)];
        });
        dispatch(backend, {
          program: {
            key: `accumulate ${part.length}${squared ? ' squared' : ''}`,
            wgsl: () => shader(part.length, squared),
          },
          tensors: [flat, ...part],
          writes: [flat],
          uniforms: uniformBlock(f(keep), ...fields),
          workgroups: groupsFor(end),
        });
      }
    },
    () => {
      const target = cpuArray(flat);
      grads.forEach((g, t) => {
        const values = cpuArray(g);
        const at = offsets[t]!;
        for (let i = 0; i < values.length; i++) {
          target[at + i] = (keep ? target[at + i]! : 0) + (squared ? values[i]! ** 2 : values[i]!);
        }
      });
    },
  );
}
