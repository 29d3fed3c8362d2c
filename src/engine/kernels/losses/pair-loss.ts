/**
 * The loss of a reward model on pairs of answers (Bradley and Terry, 1952), as in TRL's RewardTrainer.
 *
 *   scores [2P, 1], of the better answers first   margins [P]   ->   loss [] = scale · Σ_p loss_p,   dScores [2P, 1]
 *
 *   loss_p = −log σ(c − r − m) + centring · (c + r)²      c = scores[p]   r = scores[P + p]   m = margins[p]
 *
 * The gradient is computed in the forward pass and multiplied by the gradient of the loss in the backward pass.
 */
import * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { current, type Live } from '../../webgpu/live';
import { defineKernel, shapeError } from '../kernel';
import { sumAll } from '../moves/row-moves';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

interface PairLossAttrs {
  scale: Live;
  centring: number;
}

const kernel = defineKernel<PairLossAttrs>({
  name: 'PairLoss',
  outputs({ scores, margins }) {
    const [rows, width] = scores?.shape ?? [];
    if (scores?.shape.length !== 2 || width !== 1 || margins?.shape.join() !== `${rows! / 2}`) {
      throw shapeError('PairLoss', 'scores [2P, 1], margins [P]', { scores: scores?.shape, margins: margins?.shape });
    }
    return [{ shape: [] }, { shape: scores.shape }];
  },
  cpu({ scores, margins }, { scale: live, centring }, [loss, dScores]) {
    const scale = current(live);
    const pairs = margins!.shape[0]!;
    let total = 0;
    for (let p = 0; p < pairs; p++) {
      const [c, r] = [scores!.data[p]!, scores!.data[pairs + p]!];
      const x = c - r - margins!.data[p]!;
      total += Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x))) + centring * (c + r) ** 2;
      const wrong = 1 / (1 + Math.exp(x));
      const off = 2 * centring * (c + r);
      dScores![p] = scale * (off - wrong);
      dScores![pairs + p] = scale * (off + wrong);
    }
    loss![0] = scale * total;
  },
  gpu({ backend, inputs: { scores, margins }, outputs, attrs: { scale, centring }, temp }) {
    const [loss, dScores] = outputs as [tf.TensorInfo, tf.TensorInfo];
    const pairs = margins!.shape[0]!;
    const losses = temp([Math.max(1, pairs)]);
    dispatch(backend, {
      program: { key: 'pair_loss', wgsl: SHADER },
      tensors: [scores!, margins!, losses, dScores],
      writes: [losses, dScores],
      uniforms: uniformBlock(u(pairs), f(scale), f(centring)),
      // The scale depends on the number of pairs in the step, which changes at the end of an epoch.
      volatile: true,
      workgroups: groupsFor(pairs),
    });
    sumAll(backend, losses, loss, pairs, scale);
  },
  savesOutputs: [false, true],
  gradient: ([dLoss], { outputs: [dScores] }) => ({ scores: () => tf.mul(dScores!, dLoss!) }),
});

/** One thread per pair. */
const SHADER = `struct Uniforms { pairs: u32, scale: f32, centring: f32 }
@group(0) @binding(0) var<storage, read> scores: array<f32>;
@group(0) @binding(1) var<storage, read> margins: array<f32>;
@group(0) @binding(2) var<storage, read_write> losses: array<f32>;
@group(0) @binding(3) var<storage, read_write> dScores: array<f32>;
@group(0) @binding(4) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let p = globalIndex(wg, local, groups);
  if (p >= u.pairs) { return; }
  let c = scores[p];
  let r = scores[u.pairs + p];
  let x = c - r - margins[p];
  // Uses exp(−|x|), which cannot overflow.
  let e = exp(-abs(x));
  // log(1 + e) loses a small e; its series keeps the loss of pairs that are told apart well.
  let rest = select(log(1.0 + e), e - 0.5 * e * e, e < 1e-3);
  losses[p] = max(-x, 0.0) + rest + u.centring * (c + r) * (c + r);
  let wrong = select(1.0, e, x >= 0.0) / (1.0 + e);
  let off = 2.0 * u.centring * (c + r);
  dScores[p] = u.scale * (off - wrong);
  dScores[u.pairs + p] = u.scale * (off + wrong);
}`;

/** scale · summed loss of pairs; scores [2P, 1], margins float32 [P]. `centring` is center_rewards_coefficient, 0 for none. */
export function pairLoss(
  scores: tf.Tensor,
  margins: tf.Tensor,
  { scale, centring }: { scale: Live; centring: number },
): tf.Scalar {
  const [loss, dScores] = kernel({ scores, margins }, { scale, centring });
  dScores!.dispose();
  return loss as tf.Scalar;
}
