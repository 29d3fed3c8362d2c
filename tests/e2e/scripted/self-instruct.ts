/** A scripted model that writes its own dataset: its answers are given, and what is kept of them is what Tabtune makes of them. */
import {
  endOf,
  endRound,
  RougePool,
  readSeedTasks,
  type SelfInstructDraft,
  saysYes,
  withClassification,
  withInstances,
  withInstructions,
} from '../../../src/self-instruct';
import type { SelfInstruct } from '../../../src/session/self-instruct-types';
import { sleep } from './sleep';

const rounds = [
  ' Suggest three games for a rainy afternoon.\n10. Sort the animal into bird, fish or mammal.\n11. Draw a house.\n12. Say hello.',
  ' Put the numbers in order from the smallest to the largest.\n10. Write a thank you note to a neighbour.\n11. Write a program that counts.',
  ' Explain how bread is made to someone who has never baked.\n10. "Why" is a good question.\n11. Name the season in which the event takes place.',
];
const answers: [begins: string, labels: boolean, text: string][] = [
  ['Suggest', false, 'Output: Chess, charades, and building a castle of cushions.'],
  ['Sort', true, 'Class label: bird\nsparrow\nClass label: fish\ntrout\nClass label: mammal\notter'],
  [
    'Write',
    false,
    'Example 1\nInput: She lent me a ladder.\nOutput: Thank you for the ladder!\nExample 2\nInput: same\nOutput: same',
  ],
  [
    'Explain',
    false,
    'Output: You mix flour, water, salt and yeast, let the dough rise, and bake it until it is brown.',
  ],
  ['Name', true, 'Class label: winter\nThe lake is frozen.\nClass label: spring\nThe lake is frozen.'],
];

export function createScriptedSelfInstruct(stepMs: number): SelfInstruct {
  let kept: SelfInstructDraft | null = null;
  return {
    stored: async () => kept,
    async keep(draft) {
      kept = draft;
    },
    readSeeds: async (file) => readSeedTasks(await file.text(), file.name),
    async discard() {
      kept = null;
    },
    async run(given, onDraft, onNow, signal) {
      let draft = given;
      const become = (next: SelfInstructDraft) => {
        draft = next;
        kept = next;
        onDraft(next);
      };
      const pool = new RougePool([...draft.seeds, ...draft.tasks].map(({ instruction }) => instruction));
      for (;;) {
        for (const [i, task] of draft.tasks.entries()) {
          if (task.instances !== null) continue;
          onNow({ stage: 'instances', done: 0, total: 1, text: task.instruction });
          await sleep(stepMs);
          if (signal?.aborted) return 'cancelled';
          const [, labels, text] = answers.find(([begins]) => task.instruction.startsWith(begins))!;
          become(withClassification(draft, i, saysYes(labels ? 'Yes' : 'No')));
          become(withInstances(draft, i, { text, cut: false }));
        }
        const end = endOf(draft);
        if (end) return end;
        const text = rounds[draft.rounds % rounds.length]!;
        onNow({ stage: 'instructions', done: 0, total: 1, text });
        await sleep(stepMs);
        if (signal?.aborted) return 'cancelled';
        const before = draft.tasks.length;
        become(endRound(withInstructions(draft, pool, { text, cut: false }, 'Stories 2M'), before));
      }
    },
  };
}
