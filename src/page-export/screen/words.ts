/** All texts of an exported page but those that its maker wrote. */
import type { ErrorData } from '../../base/errors';

export const words = {
  about: 'About',
  close: 'Close',
  fresh: 'New chat',
  send: 'Send',
  stop: 'Stop',
  copy: 'Copy',
  copied: 'Copied',
  tryAgain: 'Try again',
  reload: 'Reload',
  reloads: 'Reload the page: the model then comes from this browser.',
  noRoom: 'Close other tabs that use the GPU and reload the page, or visit it on a device with more memory.',
  examples: 'Examples',
  conversation: 'Conversation',
  you: 'You',
  model: 'The model',
  ask: 'Your message',
  askPlaceholder: 'Write a message',
  begin: 'Your text',
  beginPlaceholder: 'Write a prompt',
  text: 'Text',
  textPlaceholder: 'Write or paste a text',
  prompt: 'Prompt',
  answer: 'Answer',
  classify: 'Classify',
  find: 'Find words',
  score: 'Score',
  result: 'Result',
  working: 'The model is reading.',
  early: 'It is sent as soon as the model is ready.',
  answering: 'The model is answering.',
  answered: 'The answer is complete.',
  stopped: 'Stopped.',
  cut: 'Cut off at the longest answer; it can be longer under About.',
  dropped: 'The beginning of this chat no longer fits into what the model can read, so it has forgotten it.',
  nothing: 'The model answered with nothing.',
  noWords: 'The model marks no word of this text.',
  more: (count: number) => `and ${count} less likely`,
  load: (size: string) => `Load the model (${size})`,
  loadWhy: 'It is fetched once and then kept in this browser.',
  fetching: (done: string, total: string) => `Fetching the model: ${done} of ${total}`,
  loading: 'Preparing the model',
  software: 'No GPU is in use, so answers are slow.',
  notKept: 'This browser keeps nothing, so the model will be fetched again on the next visit.',
  newVersion: 'There is a new version of this page.',
  facts: {
    model: 'Model',
    trained: 'Trained',
    base: 'Base model',
    licence: 'Licence of the base',
    size: 'Size',
    madeWith: 'Made with',
  },
  unknownLicence: 'not stated',
  aboutPrivacy:
    'The model’s files come from the server of this page. Everything else happens in this browser: what you write, and what the model answers, is neither sent nor stored.',
  licences: 'Licences of the software in this page',
  settings: 'Answers',
  temperature: 'Randomness',
  temperatureHint: '0 always gives the same answer',
  longest: 'Longest answer, in tokens',
} as const;

/** What stands in the way before anything is fetched; null if nothing does. */
export function obstacle(): ErrorData | null {
  if (location.protocol === 'file:') {
    return {
      code: 'internal',
      message: 'This page was opened as a file, and browsers do not let a file start a model.',
      action:
        'Serve its folder instead: run “python3 -m http.server 8000” or “npx serve” in it, then open http://localhost:8000.',
    };
  }
  if (!isSecureContext) {
    return {
      code: 'no_webgpu',
      message: 'This page came over an unencrypted connection, where browsers offer no WebGPU.',
      action: 'Open it with https:// in front of its address.',
    };
  }
  return null;
}
