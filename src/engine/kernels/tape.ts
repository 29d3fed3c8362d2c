/**
 * The backward pass over tfjs's tape, replacing tf.grads, which holds every saved tensor and every gradient until it ends.
 * This one frees each right after use, can be nested (checkpointing.ts), and tells each node which of its inputs'
 * gradients are wanted. The only code that touches the tape of tfjs-core (4.22.0, pinned).
 */
import * as tf from '@tensorflow/tfjs-core';
import { makings } from './cheap';
import type { GradientClosure, GradientPlace } from './kernel';
import { accumulateGradients } from './optimisers/accumulate';
import { addTensors } from './pointwise/add';

type Closures = Record<string, GradientClosure>;

/** Gradients that are known to be 1: those of a value itself, where nobody gave another. */
const ones = new WeakSet<tf.Tensor>();
export const isOne = (dy: tf.Tensor): boolean => ones.has(dy);

function one(shape: number[]): tf.Tensor {
  const dy = tf.ones(shape);
  ones.add(dy);
  return dy;
}

interface TapeNode {
  id: number;
  kernelName: string;
  inputs: Record<string, tf.Tensor>;
  outputs: tf.Tensor[];
  saved: tf.Tensor[];
  gradient?(dys: (tf.Tensor | null)[], wanted: string[]): Closures;
}

interface TapeState {
  activeTape: TapeNode[] | null;
  gradientDepth: number;
  kernelDepth: number;
  nextTapeNodeId: number;
}

const tapeState = () => tf.engine().state as unknown as TapeState;

/** Whether operations are being recorded for a backward pass. */
export function isRecording(): boolean {
  const { gradientDepth, kernelDepth } = tapeState();
  return gradientDepth > 0 && kernelDepth === 0;
}

/** Runs `f` as if inside a kernel: the tape records none of it, and only its result survives. */
export function withoutTape<T extends tf.TensorContainer>(f: () => T): T {
  const state = tapeState();
  state.kernelDepth++;
  try {
    return tf.tidy(f);
  } finally {
    state.kernelDepth--;
  }
}

/**
 * Runs `f`, a function of `inputs` only, and records it as one node that keeps `save` and no intermediate tensors.
 * `gradient` receives dy, the saved tensors, the indices of the inputs whose gradients are wanted and the places that these may be
 * written to, and returns the gradients in that order; null for those in their places.
 */
export function asOneNode(
  name: string,
  inputs: tf.Tensor[],
  save: tf.Tensor[],
  f: () => tf.Tensor,
  gradient: (
    dy: tf.Tensor,
    saved: tf.Tensor[],
    wanted: number[],
    placeOf: (input: number) => GradientPlace | undefined,
  ) => (tf.Tensor | null)[],
): tf.Tensor {
  if (!isRecording()) return f();
  const output = withoutTape(f);
  const saved = save.map((t) => tf.keep(withoutTape(() => t.clone())));
  const state = tapeState();
  state.activeTape!.push({
    id: state.nextTapeNodeId++,
    kernelName: name,
    inputs: Object.fromEntries(inputs.map((t, i) => [String(i), t])),
    outputs: [output],
    saved,
    gradient: ([dy], wanted) => {
      let grads: (tf.Tensor | null)[] | null = null;
      const closureOf =
        (i: number): GradientClosure =>
        ({ placeOf } = {}) => {
          grads ??= gradient(dy!, saved, wanted.map(Number), (input) => placeOf?.(String(input)));
          return grads[i]!;
        };
      return Object.fromEntries(wanted.map((input, i) => [input, closureOf(i)]));
    },
  });
  return output;
}

/** A saved tensor that was left out: the output of another node, which computes it again. */
interface LeftOut {
  index: number;
  from: TapeNode;
  shape: number[];
}

const leftOut = new WeakMap<TapeNode, LeftOut[]>();

/** Operations of tfjs whose gradients read nothing but the shapes of what they save. */
const SHAPES_ONLY = new Set(['Add', 'Reshape']);

function savesShapeOnly(node: TapeNode, index: number): boolean {
  if (SHAPES_ONLY.has(node.kernelName)) return true;
  const making = node.outputs[0] && makings.get(node.outputs[0]);
  return making?.shapesOnly.includes(making.inputNames[index] ?? '') ?? false;
}

/**
 * Runs `f` and keeps no more of what it recorded than the backward pass needs: not what is read for its shape alone, and of
 * cheap kernels' outputs as many bytes as are left in `room`, from which they are taken. The backward pass computes the others again,
 * with the same kernels from the same inputs and so to the same bits. What `f` made itself is freed, except its result.
 */
export function recordLean(f: () => tf.Tensor, room: { bytes: number }): tf.Tensor {
  if (!isRecording()) return tf.tidy(f);
  const tape = tapeState().activeTape!;
  const first = tape.length;
  const output = tf.tidy(f);
  const nodes = tape.slice(first);
  const cheap = new Map(
    nodes
      .filter(({ outputs: [made] }) => made && made.dataId !== output.dataId && makings.get(made)?.cheap)
      .map((node) => [node.outputs[0]!.dataId, node]),
  );
  const decided = new Map<TapeNode, boolean>();
  const keeps = (node: TapeNode): boolean => {
    const bytes = node.outputs[0]!.size * 4;
    const keep = decided.get(node) ?? room.bytes >= bytes;
    if (keep && !decided.has(node)) room.bytes -= bytes;
    decided.set(node, keep);
    return keep;
  };
  for (const node of nodes) {
    node.saved.forEach((tensor, index) => {
      const from = cheap.get(tensor.dataId);
      if (savesShapeOnly(node, index)) {
        tensor.dispose();
      } else if (from && !keeps(from)) {
        leftOut.set(node, [...(leftOut.get(node) ?? []), { index, from, shape: tensor.shape }]);
        tensor.dispose();
      }
    });
  }
  return output;
}

/** Computes what was left out of nodes again, and frees each tensor with the last node that needs it. */
function recomputing(nodes: TapeNode[]) {
  const uses = new Map<TapeNode, number>();
  const count = (node: TapeNode) => {
    for (const { from } of leftOut.get(node) ?? []) {
      const before = uses.get(from) ?? 0;
      uses.set(from, before + 1);
      if (before === 0) count(from);
    }
  };
  nodes.forEach(count);
  const again = new Map<TapeNode, tf.Tensor>();
  const outputOf = (node: TapeNode): tf.Tensor => {
    const before = again.get(node);
    if (before) return before;
    restore(node);
    const { kernelName, attrs, inputNames } = makings.get(node.outputs[0]!)!;
    const inputs = node.saved.slice(0, inputNames.length) as unknown as tf.NamedTensorMap;
    const made = tf.keep(
      withoutTape(() => {
        const out = tf.engine().runKernel(kernelName, inputs, attrs);
        return Array.isArray(out) ? (out[0] as tf.Tensor) : (out as tf.Tensor);
      }),
    );
    again.set(node, made);
    return made;
  };
  const restore = (node: TapeNode) => {
    for (const { index, from, shape } of leftOut.get(node) ?? []) {
      const made = outputOf(from);
      node.saved[index] = tf.keep(withoutTape(() => tf.reshape(made, shape)));
      const left = uses.get(from)! - 1;
      uses.set(from, left);
      if (left === 0) made.dispose();
    }
    leftOut.delete(node);
  };
  return {
    /** Nodes that are needed though no gradient passes them. */
    needed: uses,
    restore,
    dispose() {
      for (const made of again.values()) made.dispose();
    },
  };
}

/** The places of a pass that is being recorded, by the ids of params, and which of them have something in them already. */
interface Ahead {
  places: ReadonlyMap<number, GradientPlace>;
  written: Set<number>;
}

let ahead: Ahead | null = null;

/**
 * Where a kernel whose result is the value of the pass may write a param's gradient in the forward pass already. Its closure must
 * give null for it then. Undefined if the param has no place, or learns nothing in this pass.
 */
export function takePlaceAhead({ id }: tf.Tensor): GradientPlace | undefined {
  const place = isRecording() ? ahead?.places.get(id) : undefined;
  if (!place) return undefined;
  const add = place.add || ahead!.written.has(id);
  ahead!.written.add(id);
  return { ...place, add };
}

function freeSaved(nodes: TapeNode[]): void {
  for (const { saved } of nodes) for (const t of saved) t.dispose();
}

/** The value of `f` and the tape recorded while computing it; an outer tape and its places are left alone. */
function record(f: () => tf.Tensor, places: Ahead | null): { value: tf.Tensor; tape: TapeNode[] } {
  const state = tapeState();
  const outer = state.activeTape;
  const outerPlaces = ahead;
  const tape: TapeNode[] = [];
  state.activeTape = tape;
  ahead = places;
  state.gradientDepth++;
  try {
    return { value: tf.tidy(f), tape };
  } catch (error) {
    freeSaved(tape);
    throw error;
  } finally {
    state.gradientDepth--;
    state.activeTape = outer;
    ahead = outerPlaces;
  }
}

/** The nodes on the way from `params` to `value`, each with the names of the inputs that depend on a param. */
function path(tape: TapeNode[], params: tf.Tensor[], value: tf.Tensor): { node: TapeNode; wanted: string[] }[] {
  const fromParams = new Set(params.map(({ id }) => id));
  const nodes = tape.flatMap((node) => {
    const wanted = Object.keys(node.inputs).filter((name) => fromParams.has(node.inputs[name]!.id));
    if (wanted.length === 0) return [];
    for (const { id } of node.outputs) fromParams.add(id);
    return [{ node, wanted }];
  });
  const toValue = new Set([value.id]);
  return nodes
    .reverse()
    .filter(({ node, wanted }) => {
      if (!node.outputs.some(({ id }) => toValue.has(id))) return false;
      for (const name of wanted) toValue.add(node.inputs[name]!.id);
      return true;
    })
    .reverse();
}

/**
 * The gradients of one node's inputs, by their ids: those that were there `before`, and this node's; null for those that were
 * written to their places. Intermediate tensors are freed.
 */
function nodeGradients(
  node: TapeNode,
  wanted: string[],
  dys: (tf.Tensor | null)[],
  before: Map<number, tf.Tensor>,
  placeFor: (id: number) => GradientPlace | undefined,
): Map<number, tf.Tensor | null> {
  const sums = new Map<number, tf.Tensor | null>();
  tf.tidy(() => {
    const closures = node.gradient?.(dys, wanted);
    const placeOf = (name: string) => {
      const x = node.inputs[name];
      // Of a param that is several inputs, the second would overwrite the first.
      const alone = wanted.filter((other) => node.inputs[other]!.id === x?.id).length === 1;
      return x && wanted.includes(name) && alone ? placeFor(x.id) : undefined;
    };
    // A tensor that is not new has another owner, who will free it.
    const others = new Set([...dys, ...node.saved, ...Object.values(node.inputs)].map((t) => t?.id));
    for (const name of wanted) {
      const closure = closures?.[name];
      if (!closure) throw new Error(`${node.kernelName} has no gradient for its input ${name}.`);
      const x = node.inputs[name]!;
      const plus = sums.get(x.id) ?? before.get(x.id);
      const added = plus !== undefined && closure.adds === true;
      const dx = closure({ wanted, placeOf, plus: added ? plus : undefined });
      if (dx === null) {
        if (!placeOf(name)) throw new Error(`${node.kernelName} gave no gradient for its input ${name}.`);
        sums.set(x.id, null);
        continue;
      }
      if (dx.dtype !== 'float32' || dx.shape.join() !== x.shape.join()) {
        throw new Error(
          `${node.kernelName}: the gradient of its input ${name} is ${dx.dtype} [${dx.shape}]; expected float32 [${x.shape}].`,
        );
      }
      const own = others.has(dx.id) ? dx.clone() : dx;
      others.add(own.id);
      sums.set(x.id, plus && !added ? addTensors(plus, own) : own);
    }
    return [...sums.values()].filter((sum) => sum !== null);
  });
  return sums;
}

/**
 * The value of `f` and the gradients of `params` in one pass; the caller disposes all of them. `dy` is the gradient of the
 * value itself, 1 by default. A param that `f` does not use gets zeros.
 */
export function valueAndGradients<T extends tf.Tensor>(
  f: () => T,
  params: tf.Tensor[],
  dy?: tf.Tensor,
): { value: T; grads: tf.Tensor[] } {
  const { value, grads } = valueAndPlacedGradients(f, params, new Map(), dy);
  return { value, grads: grads as tf.Tensor[] };
}

/**
 * The same, where gradients may be written to the places of their params instead: these are undefined. A param that several nodes
 * read has its gradients added there, in the order in which they are made.
 */
export function valueAndPlacedGradients<T extends tf.Tensor>(
  f: () => T,
  params: tf.Tensor[],
  places: ReadonlyMap<tf.Tensor, GradientPlace>,
  dy?: tf.Tensor,
): { value: T; grads: (tf.Tensor | undefined)[] } {
  const placeById = new Map(
    [...places].flatMap(([param, place]) => (params.includes(param) ? [[param.id, place] as const] : [])),
  );
  const placed = new Set<number>();
  // With another gradient of the value, that of a param cannot be made before it is known.
  const { value, tape } = record(f, dy ? null : { places: placeById, written: placed });
  const early = new Set(placed);
  const steps = path(tape, params, value);
  const used = new Set(steps.map(({ node }) => node));
  const lean = recomputing([...used]);
  freeSaved(tape.filter((node) => !used.has(node) && !lean.needed.has(node)));
  const placeFor = (id: number) => {
    const place = placeById.get(id);
    return place && { ...place, add: place.add || placed.has(id) };
  };
  /** Adds a gradient to what is in its param's place. */
  const settle = (id: number, gradient: tf.Tensor) => {
    const { flat, offset } = placeById.get(id)!;
    accumulateGradients(flat, [gradient], [offset], 1);
    gradient.dispose();
  };
  try {
    return tf.tidy(() => {
      const gradients = new Map([[value.id, dy ?? one(value.shape)]]);
      for (const { node, wanted } of steps.reverse()) {
        const dys = node.outputs.map(({ id }) => gradients.get(id) ?? null);
        lean.restore(node);
        for (const [id, sum] of nodeGradients(node, wanted, dys, gradients, placeFor)) {
          const before = gradients.get(id);
          gradients.delete(id);
          if (sum === null) {
            placed.add(id);
            early.delete(id);
            if (before) settle(id, before);
            continue;
          }
          before?.dispose();
          if (placed.has(id)) settle(id, sum);
          else gradients.set(id, sum);
        }
        // Every node that reads these outputs has been processed, so their gradients are no longer needed.
        for (const t of dys) if (t !== dy) t?.dispose();
        freeSaved([node]);
      }
      if (early.size > 0) throw new Error('The value does not depend on a gradient that was written to its place.');
      const gradientOf = (p: tf.Tensor) => (placed.has(p.id) ? undefined : (gradients.get(p.id) ?? tf.zerosLike(p)));
      return { value: value as T, grads: params.map(gradientOf) };
    });
  } catch (error) {
    value.dispose();
    throw error;
  } finally {
    lean.dispose();
    freeSaved(tape);
  }
}
