/** The parts of @huggingface/hub in use, as one chunk that is loaded with the first request to the Hub. */
export { listFiles, listModels, modelInfo } from '@huggingface/hub';
