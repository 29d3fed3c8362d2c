/** What is sent to a repository of the Hub, and how far it is. Plain data: it crosses worker boundaries. */

export interface PushFile {
  /** In the repository, with slashes. */
  path: string;
  blob: Blob;
  /** Of the bytes, if they have been hashed before. */
  sha256?: string;
}

export interface PushOrder {
  files: PushFile[];
  /** OWNER/NAME */
  repo: string;
  /** Of a repository that is made; one that is there already stays as it is. */
  private: boolean;
  /** Files may be added to a repository that is there already, and replace those of the same names. */
  addTo: boolean;
  /** The first line of the commit's message. */
  message: string;
}

export interface PushProgress {
  phase: 'preparing' | 'hashing' | 'uploading' | 'committing';
  /** The file in hand; null between files. */
  file: string | null;
  /** Bytes: of what is hashed while hashing, of all large files while uploading. */
  done: number;
  total: number;
}

export interface Pushed {
  /** OWNER/NAME, as the repository is called now. */
  id: string;
  /** Its page. */
  url: string;
  commit: string;
  /** What a person should know, a sentence each. */
  notes: string[];
}

/** An upload in parts that has begun: its signed addresses, and the receipts of the parts that have arrived. */
export interface PartialUpload {
  /** The file, and the Hub and repository that it goes to. */
  sha256: string;
  size: number;
  endpoint: string;
  repo: string;
  /** Bytes of each part but the last. */
  chunk: number;
  /** Where to say that all parts are there. */
  href: string;
  /** Where to check the file afterwards; null if the Hub does not ask for it. */
  verify: string | null;
  /** The address of each part, and its ETag once it has arrived. */
  parts: { url: string; etag: string | null }[];
}

/** Progress, with bytes per second over the last few seconds, and the time left at that rate; null until known. */
export interface PushPace extends PushProgress {
  rate: number | null;
  secondsLeft: number | null;
}

/** What the next attempt can use, so that nothing is hashed or sent twice. */
export type Remembered =
  | { kind: 'hash'; path: string; sha256: string }
  | { kind: 'upload'; upload: PartialUpload }
  /** The upload has ended, or its addresses are no longer valid. */
  | { kind: 'forget'; sha256: string };

/** Whose token it is, and where it may write. */
export interface PushAccount {
  name: string;
  /** Accounts that the token may write to: the person's own, if so, first. */
  owners: string[];
  /** Organisations that it may not write to, and why, a sentence each. */
  refused: string[];
}

/** A repository that is there already. */
export interface PushTarget {
  /** As it is called now, if it was renamed. */
  id: string;
  private: boolean;
  /** Of its main branch; null if it has none yet. */
  commit: string | null;
  /** Paths of its files. */
  files: string[];
}
