// What the page is called in the browser of headless runs, whatever port it is served from: browsers keep files by address.
export const cacheHost = 'tabtune.localhost';
