export const INSTEAD = 'Export the model for transformers instead, or the adapter alone.';
