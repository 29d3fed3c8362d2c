/** How much was written, and what each filter left of it. */
import { noInstances } from './instances';
import {
  type Funnel,
  type InstanceFilter,
  type InstructionFilter,
  instanceFilters,
  instructionFilters,
  type SelfInstructDraft,
} from './types';

export const emptyFunnel = (): Funnel => ({
  instructions: {
    written: 0,
    dropped: Object.fromEntries(instructionFilters.map((name) => [name, 0])) as Record<InstructionFilter, number>,
  },
  instances: { written: 0, dropped: noInstances() },
});

export interface FunnelStep {
  /** The filter; `written` before the first and `kept` behind the last. */
  name: 'written' | 'kept' | InstructionFilter | InstanceFilter;
  dropped: number;
  left: number;
}

function steps<Name extends InstructionFilter | InstanceFilter>(
  { written, dropped }: { written: number; dropped: Record<Name, number> },
  order: readonly Name[],
): FunnelStep[] {
  let left = written;
  const filtered = order.map((name): FunnelStep => {
    left -= dropped[name];
    return { name, dropped: dropped[name], left };
  });
  return [{ name: 'written', dropped: 0, left: written }, ...filtered, { name: 'kept', dropped: 0, left }];
}

export interface FunnelView {
  instructions: FunnelStep[];
  /** Kept instructions of which examples were asked for, and those that have any. */
  tasks: { asked: number; usable: number };
  instances: FunnelStep[];
}

export function funnelOf({ funnel, tasks }: Pick<SelfInstructDraft, 'funnel' | 'tasks'>): FunnelView {
  const asked = tasks.filter(({ instances }) => instances !== null);
  return {
    instructions: steps(funnel.instructions, instructionFilters),
    tasks: { asked: asked.length, usable: asked.filter(({ instances }) => instances!.length > 0).length },
    instances: steps(funnel.instances, instanceFilters),
  };
}
