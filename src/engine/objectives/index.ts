/** The engine's half of the objectives. Adding one adds a file and a line in all.ts, here and in src/objectives. */
import type { ObjectiveSection } from '../../objectives';
import * as all from './all';
import type { Objective, ObjectiveInfo, ObjectiveTwin } from './objective';

export type { ObjectiveInfo } from './objective';

/** It takes any section, and is only ever given its own. */
type AnyTwin = ObjectiveTwin<ObjectiveSection>;
const twins = new Map<string, AnyTwin>(Object.values(all).map((twin) => [twin.type, twin as unknown as AnyTwin]));

/** Throws an error for the person if something that the objective needs is missing. */
export function createObjective(section: ObjectiveSection, info: ObjectiveInfo): Objective {
  const twin = twins.get(section.type);
  if (!twin) throw new Error(`src/engine/objectives has no twin of ${section.type}.`);
  return twin.create(section, info);
}
