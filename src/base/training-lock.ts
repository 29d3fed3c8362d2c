/** Held by the tab that trains. Only one of this browser can, and the app is not updated meanwhile. */
export const TRAINING_LOCK = 'tabtune-training';
