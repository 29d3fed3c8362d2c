/** What the Hub tells of a repository, read with care: every field may be missing or of another kind. */

/** A file of a repository, with the hash that its bytes must have. */
export interface RepositoryFile {
  name: string;
  size: number;
  /** SHA-256 of a large file. */
  sha256: string | null;
  /** Git's blob id of a small one: SHA-1 over a short header and the bytes. */
  sha1: string | null;
}

/** What the Hub knows of a model at one revision. */
export interface RepositoryInfo {
  id: string;
  commit: string;
  private: boolean;
  gated: boolean;
  downloads: number;
  likes: number;
  licence: string | null;
  licenceUrl: string | null;
  tags: string[];
  /** As the Hub has counted them in safetensors files. */
  parameters: number | null;
  /** `model_type` of config.json, where the Hub tells it: for gated models too. */
  modelType: string | null;
}

type Expanded = {
  sha?: string;
  tags?: string[];
  safetensors?: { total?: number };
  config?: unknown;
  cardData?: { license?: unknown; license_link?: unknown };
};

/** What is asked for beside the Hub's usual answer. */
export const FIELDS = ['tags', 'safetensors', 'config', 'cardData'] as const;

export function repositoryInfo(
  model: { name: string; private: boolean; gated: unknown; downloads: number; likes: number } & Expanded,
  commit: string,
): RepositoryInfo {
  const { cardData, tags, safetensors, config } = model;
  const list = Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
  const licence = list.find((tag) => tag.startsWith('license:'))?.slice('license:'.length);
  const total = safetensors?.total;
  const type = (config as { model_type?: unknown } | null | undefined)?.model_type;
  const link = cardData?.license_link;
  return {
    id: String(model.name),
    commit,
    private: model.private === true,
    gated: model.gated !== false && model.gated !== undefined && model.gated !== null,
    downloads: Number(model.downloads) || 0,
    likes: Number(model.likes) || 0,
    licence: typeof cardData?.license === 'string' ? cardData.license : (licence ?? null),
    licenceUrl: typeof link === 'string' && /^https:\/\//.test(link) ? link : null,
    tags: list,
    parameters: typeof total === 'number' && total > 0 ? total : null,
    modelType: typeof type === 'string' ? type : null,
  };
}
