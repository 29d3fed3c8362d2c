/** The id of the file that a dataset was before it was edited, or of the dataset that such a file belongs to. */
export const originalId = (id: string, folder: 'original' | 'dataset' = 'original'): string =>
  `${folder}${id.slice(id.indexOf('/'))}`;
