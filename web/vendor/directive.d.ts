export const PartType: { ATTRIBUTE: 1; CHILD: 2; PROPERTY: 3; BOOLEAN_ATTRIBUTE: 4; EVENT: 5; ELEMENT: 6 };
export class Directive { constructor(info: { type: number }); render(...values: unknown[]): unknown; update(part: any, values: any[]): unknown }
export function directive<T extends abstract new (...a: any[]) => Directive>(c: T): (...values: any[]) => unknown;
