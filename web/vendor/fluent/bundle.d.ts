import type { FluentResource } from "./resource.js";
export class FluentBundle {
  constructor(locales: string | string[], options?: { useIsolating?: boolean; functions?: object; transform?: (text: string) => string });
  addResource(resource: FluentResource): Error[];
  getMessage(id: string): { id: string; value: unknown } | undefined;
  formatPattern(pattern: unknown, args?: Record<string, string | number> | null, errors?: Error[] | null): string;
  hasMessage(id: string): boolean;
}
