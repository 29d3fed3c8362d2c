import { GGUF_FILE_TYPES, type GgufFileType } from './types';

/** `pirate-chat-Q8_0.gguf` */
export const ggufFileName = (name: string, type: GgufFileType) => `${name}-${GGUF_FILE_TYPES[type].label}.gguf`;
