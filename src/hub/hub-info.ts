/** Repository data from the Hub, read defensively: any field may be missing or have an unexpected type. */

/** A file of a repository, with the expected hash of its bytes. */
export interface RepositoryFile {
  name: string;
  size: number;
  /** SHA-256 of a large file (in LFS). */
  sha256: string | null;
  /** Git blob id of a small file: SHA-1 over a short header and the bytes. */
  sha1: string | null;
}

/** What the Hub knows about a model at one revision. */
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
  /** The Hub's count from the safetensors files. */
  parameters: number | null;
  /** `model_type` of config.json if the Hub reports it, which it also does for gated models. */
  modelType: string | null;
}

type Expanded = {
  sha?: string;
  tags?: string[];
  safetensors?: { total?: number };
  config?: unknown;
  cardData?: { license?: unknown; license_link?: unknown };
};

/** Fields requested in addition to the Hub's default response. */
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
