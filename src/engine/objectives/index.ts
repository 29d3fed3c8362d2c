/** The engine's half of the objectives. Adding one adds a file and a line here, and the same in src/objectives. */
import type { ObjectiveSection } from '../../objectives';
import { maskedLmTwin } from './masked-lm';
import type { Objective, ObjectiveInfo, ObjectiveTwin } from './objective';
import { pretrainingTwin } from './pretraining';
import { sequenceClassificationTwin } from './sequence-classification';
import { sftTwin } from './sft';
import { tokenClassificationTwin } from './token-classification';

const all = [sftTwin, pretrainingTwin, sequenceClassificationTwin, tokenClassificationTwin, maskedLmTwin] as const;

/** It takes any section, and is only ever given its own. */
type AnyTwin = ObjectiveTwin<ObjectiveSection>;
const twins = new Map<string, AnyTwin>(all.map((twin) => [twin.type, twin as unknown as AnyTwin]));

export function createObjective(section: ObjectiveSection, info: ObjectiveInfo): Objective {
  const twin = twins.get(section.type);
  if (!twin) throw new Error(`src/engine/objectives has no twin of ${section.type}.`);
  return twin.create(section, info);
}
