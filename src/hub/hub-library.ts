/** What is used of @huggingface/hub, as one chunk that is loaded with the first question to the Hub. */
export { listFiles, listModels, modelInfo } from '@huggingface/hub';
