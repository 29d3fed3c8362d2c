/** package.json's version, put in by the build. */
declare const __TABTUNE_VERSION__: string;
