import { SaxesParser } from "saxes";
import { UserError } from "../../errors.ts";

export interface XmlElement {
  /** Name without its prefix. */
  readonly name: string;
  /** Namespace the prefix stands for, or empty. */
  readonly namespace: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Text directly in the element, outer blanks taken off. */
  readonly text: string;
}

/** Bank messages nest about a dozen levels. */
const MAX_DEPTH = 50;

interface OpenElement {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

/**
 * Reads a whole XML document into a tree. Nothing outside the text is read, and no entities but the five of XML itself
 * exist, because a document type is refused.
 * @throws UserError with the line, when the text is not well-formed XML, ends early, or brings a DOCTYPE.
 */
export function parseXml(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: true });
  const open: OpenElement[] = [{ name: "", namespace: "", attributes: new Map(), children: [], text: "" }];
  parser.on("error", ({ message }) => {
    // The parser's message begins with line and column.
    const problem = message.replace(/^\d+:\d+:\s*|\.$/gu, "");
    throw new UserError(`The file is not well-formed XML, or it is cut off (line ${parser.line}: ${problem}).`);
  });
  parser.on("doctype", () => {
    throw new UserError(
      `The XML has a DOCTYPE (line ${parser.line}), which could make it read other files; bank statements have none.`,
    );
  });
  parser.on("opentag", ({ local, uri, attributes }) => {
    if (open.length > MAX_DEPTH)
      throw new UserError(`The XML nests more than ${MAX_DEPTH} levels (line ${parser.line}): it is no statement.`);
    const values = Object.values(attributes).map((attribute): [string, string] => [attribute.local, attribute.value]);
    open.push({ name: local, namespace: uri, attributes: new Map(values), children: [], text: "" });
  });
  const addText = (said: string): void => {
    const current = open.at(-1);
    if (current !== undefined) current.text += said;
  };
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("closetag", () => {
    const closed = open.pop();
    if (closed !== undefined) open.at(-1)?.children.push({ ...closed, text: closed.text.trim() });
  });
  parser.write(text).close();
  const root = open.at(0)?.children.at(0);
  // The parser has refused a text without a root by now.
  if (root === undefined) throw new UserError("The XML has no root element.");
  return root;
}

/** Children by a path of names: all of them, over all branches. */
export function elementsAt(element: XmlElement, ...path: readonly string[]): XmlElement[] {
  return path.reduce(
    (found, name) => found.flatMap(({ children }) => children.filter((child) => child.name === name)),
    [element],
  );
}

/** Text of the first element at a path that has any; empty when there is none. */
export function textAt(element: XmlElement, ...path: readonly string[]): string {
  return elementsAt(element, ...path).find(({ text }) => text !== "")?.text ?? "";
}

/** The first element of a name, the element itself or below it, in document order. */
export function firstNamed(element: XmlElement, name: string): XmlElement | undefined {
  if (element.name === name) return element;
  for (const child of element.children) {
    const found = firstNamed(child, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
