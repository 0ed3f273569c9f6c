export interface TemplateResult { readonly _$litType$: 1; strings: TemplateStringsArray; values: unknown[] }
export function html(strings: TemplateStringsArray, ...values: unknown[]): TemplateResult;
export function svg(strings: TemplateStringsArray, ...values: unknown[]): TemplateResult;
export function render(value: unknown, container: HTMLElement | DocumentFragment, options?: object): unknown;
export const nothing: unique symbol;
export const noChange: unique symbol;
