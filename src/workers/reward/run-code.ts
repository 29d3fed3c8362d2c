/**
 * A person's function `reward`, run by an interpreter (QuickJS) inside WebAssembly. It has the language and nothing else: nothing that
 * asks for an address, stores, imports or sends is there to be taken away. Its time and memory are counted, so that code without an
 * end costs an error and not the tab. Each answer gets a world of its own, so no reward depends on another.
 */
import { type QuickJSContext, type QuickJSHandle, type QuickJSWASMModule, Scope } from 'quickjs-emscripten-core';
import type { ScoredAnswer } from '../../rewards';

export interface Limits {
  /** For one answer. */
  milliseconds: number;
  /** Of the interpreter's heap. */
  bytes: number;
}

export const LIMITS: Limits = { milliseconds: 5000, bytes: 64 * 2 ** 20 };

const STACK_BYTES = 128 * 1024;
const FILE = 'reward.js';
const OUT_OF_MEMORY = 'it took more memory than there is for it';

/** What a reward gave, or why it gave nothing: continues "gave no reward for answer 3: ". */
export type Given = { value: number | null } | { wrong: string };

/** What changes from one time to the next is refused: a resumed run scores the same answers again. */
const PRELUDE = `(() => {
  const same = ', which is another one each time; a reward must give an answer the same number whenever it is asked';
  const refuse = (what) => () => { throw new Error('it asked for ' + what + same); };
  const now = refuse('the present time');
  const Given = Date;
  globalThis.Date = new Proxy(Given, {
    construct: (target, args, as) => args.length === 0 ? now() : Reflect.construct(target, args, as),
    apply: now,
  });
  Given.now = now;
  Object.defineProperty(Given.prototype, 'constructor', { value: globalThis.Date });
  Math.random = refuse('a random number');
  delete globalThis.performance;
})()`;

export function runCode(quickjs: QuickJSWASMModule, code: string, answer: ScoredAnswer, limits = LIMITS): Given {
  const end = Date.now() + limits.milliseconds;
  let late = false;
  try {
    const given = Scope.withScope((scope) => {
      const runtime = scope.manage(
        quickjs.newRuntime({ memoryLimitBytes: limits.bytes, maxStackSizeBytes: STACK_BYTES }),
      );
      runtime.setInterruptHandler(() => {
        late ||= Date.now() > end;
        return late;
      });
      return inContext(scope, scope.manage(runtime.newContext()), code, answer);
    });
    return late ? { wrong: `it did not come to an end within ${limits.milliseconds / 1000} seconds` } : given;
  } catch (cause) {
    // What cannot be put into the interpreter, or taken out of it, was too much for it.
    return { wrong: (cause instanceof Error && cause.message.split('\n')[0]) || OUT_OF_MEMORY };
  }
}

function inContext(scope: Scope, context: QuickJSContext, code: string, answer: ScoredAnswer): Given {
  const run = (text: string, file?: string) => scope.manage(context.evalCode(text, file, { type: 'global' }));
  const parse = context.unwrapResult(run('JSON.parse'));
  const text = scope.manage(context.newString(JSON.stringify({ ...answer, tokens: Array.from(answer.tokens) })));
  const argument = context.unwrapResult(scope.manage(context.callFunction(parse, context.undefined, text)));
  context.unwrapResult(run(PRELUDE));
  const declared = run(code, FILE);
  if (declared.error) return { wrong: reasonOf(context, declared.error) };
  const found = run('typeof reward === "function" ? reward : undefined');
  if (found.error) return { wrong: reasonOf(context, found.error) };
  if (context.typeof(found.value) !== 'function') return { wrong: 'there is no function called reward in it' };
  const result = scope.manage(context.callFunction(found.value, context.undefined, argument));
  return result.error ? { wrong: reasonOf(context, result.error) } : numberOf(context, result.value);
}

function numberOf(context: QuickJSContext, handle: QuickJSHandle): Given {
  const type = context.typeof(handle);
  if (type === 'number') {
    const value = context.getNumber(handle);
    return Number.isFinite(value) ? { value } : { wrong: `it returned ${value}` };
  }
  if (type === 'undefined') return { wrong: 'it returned nothing' };
  if (type === 'string')
    return { wrong: `it returned the text ${JSON.stringify(context.getString(handle).slice(0, 60))}` };
  if (type === 'boolean') return { wrong: `it returned ${context.dump(handle)}, and not a number` };
  if (context.sameValue(handle, context.null)) return { value: null };
  if (type !== 'object') return { wrong: `it returned a ${type}` };
  const state = context.getPromiseState(handle);
  const promise = state.type !== 'fulfilled' || !state.notAPromise;
  return { wrong: promise ? 'it returned a promise, which nobody waits for' : 'it returned an object' };
}

/** The message of what was thrown, and the line of the person's code that is nearest to it. */
function reasonOf(context: QuickJSContext, error: QuickJSHandle): string {
  const thrown: unknown = context.typeof(error) === 'object' ? context.dump(error) : null;
  if (typeof thrown !== 'object' || thrown === null || !('message' in thrown)) {
    const type = context.typeof(error);
    return type === 'string'
      ? `it threw the text ${JSON.stringify(context.getString(error).slice(0, 60))}`
      : `it threw ${type === 'object' ? 'an object' : `a ${type}`}`;
  }
  const { name, message, stack } = thrown as { name?: unknown; message?: unknown; stack?: unknown };
  const said = String(message);
  if (said === 'out of memory') return OUT_OF_MEMORY;
  const line = new RegExp(`${FILE.replace('.', '\\.')}:(\\d+)`).exec(String(stack ?? ''))?.[1];
  const kind = name === undefined || name === 'Error' || name === 'InternalError' ? '' : `${name}: `;
  return `${line ? `line ${line}, ` : ''}${kind}${said}`;
}
