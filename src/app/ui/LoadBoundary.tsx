import { Component, type ReactNode } from 'react';
import { common } from '../text/common';
import { shell } from '../text/shell';
import { Button } from './Button';
import { ErrorNotice } from './Notice';

/** Keeps the rest of the window usable when a chunk cannot be fetched, e.g. right after the network went away. */
export class LoadBoundary extends Component<{ children: ReactNode }, { failed: { cause: unknown } | null }> {
  override state = { failed: null };

  static getDerivedStateFromError(cause: unknown) {
    return { failed: { cause } };
  }

  override render() {
    const { failed } = this.state as { failed: { cause: unknown } | null };
    if (!failed) return this.props.children;
    return (
      <div className="mx-auto w-full max-w-[68rem] p-4 sm:px-6 lg:px-8">
        <ErrorNotice
          error={{ code: 'internal', ...shell.loadFailed, details: String(failed.cause) }}
          actions={<Button onClick={() => this.setState({ failed: null })}>{common.tryAgain}</Button>}
        />
      </div>
    );
  }
}
