/**
 * Texts that are in a chat template already: they bear the marks that a template puts around messages. A template must
 * not be put around them once more. Marks are recognised by where they stand, so that a text may speak of them.
 */
import { trimmed } from './template-messages';
import type { ChatMessage } from './types';

interface Marks {
  /** What begins a message; the first group is the role, unless `role` says it. */
  opening: RegExp;
  role?: ChatMessage['role'];
}

const ROLE = '(system|developer|user|human|prompter|assistant|model|chatbot|bot|tool|ipython|observation)';
const FAMILIES: Marks[][] = [
  // ChatML, Qwen, SmolLM; Phi-4 has <|im_sep|> behind the role.
  [{ opening: new RegExp(`<\\|im_start\\|>[ \\t]*${ROLE}(?:<\\|im_sep\\|>|[ \\t]*\\r?\\n|$)`, 'gi') }],
  // Llama 3 and 4
  [
    {
      opening: new RegExp(
        `<\\|(?:start_header_id|header_start)\\|>\\s*${ROLE}\\s*<\\|(?:end_header_id|header_end)\\|>`,
        'gi',
      ),
    },
  ],
  // Gemma
  [{ opening: new RegExp(`<(?:start_of_turn|\\|turn)>[ \\t]*${ROLE}(?:[ \\t]*\\r?\\n|$)`, 'gi') }],
  // Phi-3, Zephyr, TinyLlama, GLM, OLMo, OpenAssistant, and DeepSeek with its own bars
  [{ opening: new RegExp(`<[|｜]${ROLE}[|｜]>`, 'gi') }],
  // Granite
  [{ opening: new RegExp(`<\\|start_of_role\\|>\\s*${ROLE}\\s*<\\|end_of_role\\|>`, 'gi') }],
  // Command R
  [{ opening: new RegExp(`<\\|START_OF_TURN_TOKEN\\|><\\|${ROLE}_TOKEN\\|>`, 'gi') }],
  // gpt-oss
  [{ opening: new RegExp(`<\\|start\\|>${ROLE}(?:<\\|channel\\|>\\w+)?<\\|message\\|>`, 'gi') }],
  // Llama 2 and Mistral
  [
    { opening: /\[INST\]/g, role: 'user' },
    { opening: /\[\/INST\]/g, role: 'assistant' },
  ],
  // Alpaca, Guanaco
  [
    {
      opening: /^###[ \t]*(?:Instruction|Human|User|Input|Question):?[ \t]*$|^###[ \t]*(?:Human|User):/gim,
      role: 'user',
    },
    { opening: /^###[ \t]*(?:Response|Assistant|Answer|Output):?[ \t]*$|^###[ \t]*Assistant:/gim, role: 'assistant' },
  ],
  // Vicuna
  [
    { opening: /(?<=^|\s)USER:/g, role: 'user' },
    { opening: /(?<=^|\s)ASSISTANT:/g, role: 'assistant' },
  ],
];
/** Marks of these two are words, so that a text that only begins with one may be anything. */
const WORDS = FAMILIES.slice(-2);

const BOS = ['<s>', '<bos>', '<|begin_of_text|>', '<｜begin▁of▁sentence｜>'];
const BEGINNINGS = /^\s*(?:<s>|<bos>|<\|begin_of_text\|>|<\|endoftext\|>|<｜begin▁of▁sentence｜>|\[gMASK\]<sop>)?\s*/;
const ENDINGS = [
  ...['<|im_end|>', '<|eot_id|>', '<|eom_id|>', '<|eot|>', '<end_of_turn>', '<turn|>', '<|end|>', '</s>', '<eos>'],
  ...['<|endoftext|>', '<|end_of_text|>', '<|end_of_turn|>', '<|END_OF_TURN_TOKEN|>', '<｜end▁of▁sentence｜>'],
  ...['<|return|>', '<|call|>', '<|user_end|>', '<|assistant_end|>'],
];
const SYSTEM_BLOCK = /<<SYS>>\s*([\s\S]*?)\s*<<\/SYS>>\s*/;
/** Nothing is looked for in texts without any of these. */
const HINT = /<[|｜]|<start_of_turn>|\[\/?INST\]|^###|ASSISTANT:/im;

interface Found {
  at: number;
  end: number;
  mark: string;
  role: ChatMessage['role'];
}

const roles: Record<string, ChatMessage['role']> = {
  ...{ system: 'system', developer: 'system', user: 'user', human: 'user', prompter: 'user' },
  ...{ assistant: 'assistant', model: 'assistant', chatbot: 'assistant', bot: 'assistant' },
  ...{ tool: 'tool', ipython: 'tool', observation: 'tool' },
};

function openings(text: string, family: readonly Marks[]): Found[] {
  return family
    .flatMap(({ opening, role }) =>
      Array.from(text.matchAll(opening), (found) => ({
        at: found.index,
        end: found.index + found[0].length,
        mark: found[0].trim(),
        role: role ?? roles[found[1]!.toLowerCase()]!,
      })),
    )
    .sort((a, b) => a.at - b.at);
}

/** The first mark of a template in a text, if the text is in one; otherwise null. `endTokens` are the model's own. */
export function markIn(text: string, role: ChatMessage['role'], endTokens: readonly string[] = []): string | null {
  if (HINT.test(text)) {
    const begin = BEGINNINGS.exec(text)![0].length;
    for (const family of FAMILIES) {
      const found = openings(text, family);
      if (found.length === 0) continue;
      const asks = found.some((one) => one.role === 'user' || one.role === 'system');
      const answers = found.some((one) => one.role === 'assistant');
      const starts = found[0]!.at <= begin && !WORDS.includes(family);
      const endsOpen = found.at(-1)!.role === 'assistant' && text.slice(found.at(-1)!.end).trim() === '';
      if (starts || (asks && answers) || (endsOpen && !WORDS.includes(family))) return found[0]!.mark;
    }
  }
  return role === 'assistant' ? endingOf(text, endTokens) : null;
}

/** The end of turn that an answer has already; null if it has none, or speaks of tokens. */
function endingOf(text: string, endTokens: readonly string[]): string | null {
  const ended = text.trimEnd();
  if (!ended.endsWith('>') && !endTokens.some((token) => ended.endsWith(token))) return null;
  const ending = [...endTokens, ...ENDINGS].find((token) => token !== '' && ended.endsWith(token));
  if (ending === undefined) return null;
  const rest = ended.slice(0, -ending.length);
  const speaks = [...endTokens, ...ENDINGS].some((token) => token !== '' && rest.includes(token));
  return rest.trim() === '' || speaks || /`\s*$/.test(rest) ? null : ending;
}

/** The messages in a text that bears marks; empty if it has none. */
export function turnsIn(text: string, endTokens: readonly string[] = []): ChatMessage[] {
  const found = FAMILIES.map((family) => openings(text, family)).reduce((a, b) => (b.length > a.length ? b : a), []);
  const messages: ChatMessage[] = [];
  const add = (role: ChatMessage['role'], content: string) => {
    if (content !== '') messages.push({ role, content });
  };
  if (found.length > 0) add('system', withoutMarks(text.slice(0, found[0]!.at), endTokens));
  found.forEach(({ role, end }, i) => {
    let content = text.slice(end, found[i + 1]?.at);
    const system = role === 'user' ? SYSTEM_BLOCK.exec(content) : null;
    if (system) {
      add('system', system[1]!.trim());
      content = content.replace(SYSTEM_BLOCK, '');
    }
    add(role, withoutMarks(content, endTokens));
  });
  return messages;
}

/** Without what a template puts at the beginning and end of a text, the beginning of the next turn included. */
export function withoutMarks(text: string, endTokens: readonly string[] = []): string {
  let rest = text.replace(BEGINNINGS, (begin) => (begin.trim() === '' ? begin : ''));
  for (let before = ''; before !== rest; ) {
    before = rest;
    const ended = rest.trimEnd();
    const ending = [...endTokens, ...ENDINGS, ...BOS].find((token) => token !== '' && ended.endsWith(token));
    if (ending !== undefined) rest = ended.slice(0, -ending.length);
  }
  return trimmed(rest);
}
