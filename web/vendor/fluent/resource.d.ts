export class FluentResource { constructor(source: string); body: { id: string }[] }
