/** package.json's version, put in by the build. */
declare const __TABTUNE_VERSION__: string;

/** Where the project takes reports, package.json's `bugs.url`, put in by the build of the app; null without one. */
declare const __TABTUNE_ISSUES__: string | null;
