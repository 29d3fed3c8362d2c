/** Names of files and folders that are exported. */

/** A name as part of a file's name. */
export const fileName = (name: string) =>
  name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '') || 'tabtune';

/** `pirate-chat.recipe.json` */
export const recipeFileName = (name: string): string => `${fileName(name)}.recipe.json`;
