/** The pages of the app, in the order of the rail. What each one shows is in app/util/pages.ts. */
export const pageNames = ['model', 'data', 'recipe', 'train', 'compare', 'runs'] as const;

export type PageName = (typeof pageNames)[number];
