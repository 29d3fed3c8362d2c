import { Component, type ReactNode } from 'react';
import type { ErrorData } from '../../base/errors';
import { common } from '../text/common';
import { shell } from '../text/shell';
import { MissingChunk } from '../util/lazyAhead';
import { Button } from './Button';
import { ErrorNotice } from './Notice';

interface Props {
  children: ReactNode;
  /** Takes over what is shown; the caller then removes the boundary. Left out: the error is shown in place, with a retry. */
  onFail?: (error: ErrorData) => void;
}

const errorOf = (cause: unknown): ErrorData => ({
  code: 'internal',
  ...(cause instanceof MissingChunk ? shell.loadFailed : shell.crashed),
  details: cause instanceof MissingChunk ? cause.cause.details : String(cause),
});

/** Keeps the rest of the window usable when a part of it cannot be fetched, e.g. after the network went away, or fails. */
export class LoadBoundary extends Component<Props, { error: ErrorData | null }> {
  override state: { error: ErrorData | null } = { error: null };

  static getDerivedStateFromError(cause: unknown) {
    return { error: errorOf(cause) };
  }

  override componentDidCatch(cause: unknown) {
    if (cause instanceof MissingChunk) cause.reset();
    this.props.onFail?.(errorOf(cause));
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    if (this.props.onFail) return null;
    return (
      <div className="mx-auto w-full max-w-[68rem] p-4 sm:px-6 lg:px-8">
        <ErrorNotice
          error={error}
          actions={<Button onClick={() => this.setState({ error: null })}>{common.tryAgain}</Button>}
        />
      </div>
    );
  }
}
