/** English of the privacy page. */
export const privacyText = {
  description:
    'Your examples, your prompts and the trained weights stay in this browser, except for an export that you push to the Hub. You can check that yourself.',
  check: {
    title: 'How to check',
    steps: [
      'Read the list of requests below while you use the app. It grows with each one.',
      'Do not take the app’s word for it: open your browser’s developer tools (F12) and choose **Network**. You will see the files of this page and of the model arrive. None of your data is sent.',
      'Or let the page load completely, **disconnect from the network**, reload, and train, compare and export. Everything works, because there is no server behind it.',
      'Read the code: Tabtune is open source.',
    ],
  },
  log: {
    title: 'Requests of this tab',
    intro:
      'Every request that this tab has made since it was opened, from the page, its workers, and the stored copy of the app.',
    none: 'No requests yet.',
    summary: (requests: string, sent: string) => `**${requests}**, **${sent}** sent.`,
    nobody: 'Only this page’s own server was contacted.',
    own: (count: string, bytes: string) => `Tabtune’s own files: ${count}, ${bytes}`,
    kept: (count: string) => `${count} of them from the copy in this browser.`,
    stored: (count: string, bytes: string, when: string) =>
      `The copy of the app was stored ${when}: ${count}, ${bytes} from this page’s own server.`,
    hub: (count: string) => `The Hub: ${count}`,
    strange: (count: string) => `Others: ${count}`,
    strangeWhy:
      'Tabtune does not contact these addresses. A browser extension or the page’s host may have made these requests.',
    dropped: (count: string) => `${count} older ones are no longer listed.`,
    columns: { when: 'When', who: 'Requested by', what: 'For', address: 'Address', sent: 'Sent', received: 'Received' },
    purposes: {
      app: 'A part of the app',
      model: 'The built-in model',
      dataset: 'A built-in dataset',
      search: 'Search for models',
      details: 'Details of a model',
      file: 'A file of a model',
      push: 'A push to the Hub',
      hub: 'The Hub',
      strange: 'Unknown',
    },
    refused: 'refused or unanswered',
    unknown: 'unknown',
    local: 'from this browser',
    save: 'Save as JSON',
    file: 'tabtune-requests.json',
  },
  facts: {
    title: 'What happens where',
    items: [
      'Training and generation run on your GPU, through WebGPU, in a worker of this tab.',
      'Files that you drop, runs and checkpoints are kept in this browser’s storage. A run is saved at least every 30 seconds, so a reload costs at most that much training. **Storage** lists and deletes them.',
      'The Hugging Face Hub is contacted only when you search for, download or push a model. Searching and downloading tell it your IP address and the model’s name, and nothing about your data.',
      'A push sends the Hub the files of one export, which are listed before, and your access token, which is kept in memory only. A model card describes the data; it contains none of it. Large files go straight to the Hub’s storage at Amazon.',
      'There is no account, no cookie and no telemetry.',
      'Exports are downloads that your browser saves to your disk.',
    ],
    hub: (hub: string) =>
      `The browser lets this page and its downloads contact its own server and one Hub, **${hub}**, and blocks everything else.`,
    closed:
      'The workers that hold your data can reach only the server of this page, and start no others. The browser enforces it.',
    open: '**The browser does not enforce** that the workers with your data reach only the server of this page, because this server does not send the policy for it. Tabtune’s own code keeps them from contacting anyone else. Reload the page once it is stored in this browser, or serve it with `npm start`: both bring the policy.',
  },
};
