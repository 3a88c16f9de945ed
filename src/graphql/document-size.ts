/** How large a document is once its fragments are expanded, in time linear in its text: each fragment is measured once. */
import {
  Kind,
  visit,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLError,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { refusal } from './refusal';
import { textFault } from './safe-text';

export const DOCUMENT_LIMITS = {
  tokens: 2000,
  depth: 10,
  /** Below `__schema` and `__type`: the usual introspection query is 13 deep. */
  introspectionDepth: 20,
  aliases: 50,
  directives: 20,
  /** Selections of a field that the same selection set has already: comparing them is quadratic. */
  repetitions: 200,
} as const;

const INTROSPECTION = new Set(['__schema', '__type']);

interface Size {
  readonly depth: number;
  readonly introspectionDepth: number;
  readonly aliases: number;
  readonly directives: number;
  readonly repetitions: number;
}

const NOTHING: Size = { depth: 0, introspectionDepth: 0, aliases: 0, directives: 0, repetitions: 0 };

class FragmentCycle extends Error {
  constructor(readonly fragment: FragmentDefinitionNode) {
    super();
  }
}

class DocumentMeasure {
  private readonly fragments = new Map<string, FragmentDefinitionNode>();
  private readonly measured = new Map<string, Size | 'being measured'>();

  constructor(document: DocumentNode) {
    for (const definition of document.definitions) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.fragments.set(definition.name.value, definition);
    }
  }

  definition(node: FragmentDefinitionNode | OperationDefinitionNode): Size {
    if (node.kind === Kind.FRAGMENT_DEFINITION) return this.fragment(node.name.value);
    const size = this.selections(node.selectionSet);
    return { ...size, directives: size.directives + (node.directives?.length ?? 0) };
  }

  private fragment(name: string): Size {
    const known = this.measured.get(name);
    const fragment = this.fragments.get(name);
    if (!fragment) return NOTHING; // KnownFragmentNames says so
    if (known === 'being measured') throw new FragmentCycle(fragment);
    if (known) return known;
    this.measured.set(name, 'being measured');
    const size = this.selections(fragment.selectionSet);
    const total = { ...size, directives: size.directives + (fragment.directives?.length ?? 0) };
    this.measured.set(name, total);
    return total;
  }

  private selections(set: SelectionSetNode): Size {
    let { depth, introspectionDepth, aliases, directives, repetitions } = NOTHING;
    const names = new Set<string>();
    for (const selection of set.selections) {
      directives += selection.directives?.length ?? 0;
      let inner = NOTHING;
      if (selection.kind === Kind.FRAGMENT_SPREAD) inner = this.fragment(selection.name.value);
      else if (selection.selectionSet) inner = this.selections(selection.selectionSet);
      aliases += inner.aliases;
      directives += inner.directives;
      repetitions += inner.repetitions;
      if (selection.kind !== Kind.FIELD) {
        depth = Math.max(depth, inner.depth);
        introspectionDepth = Math.max(introspectionDepth, inner.introspectionDepth);
        const spread = selection.kind === Kind.FRAGMENT_SPREAD ? `...${selection.name.value}` : null;
        if (spread && names.has(spread)) repetitions += 1;
        if (spread) names.add(spread);
        continue;
      }
      if (selection.alias) aliases += 1;
      const name = selection.alias?.value ?? selection.name.value;
      if (names.has(name)) repetitions += 1;
      names.add(name);
      introspectionDepth = Math.max(introspectionDepth, inner.introspectionDepth);
      if (INTROSPECTION.has(selection.name.value)) introspectionDepth = Math.max(introspectionDepth, 1 + inner.depth);
      else depth = Math.max(depth, 1 + inner.depth);
    }
    return { depth, introspectionDepth, aliases, directives, repetitions };
  }
}

/** Errors of a document that is too large or unsound to be validated; runs before any rule that could be slow on it. */
export function documentFaults(document: DocumentNode): GraphQLError[] {
  const measure = new DocumentMeasure(document);
  const faults: GraphQLError[] = [];
  const limit = (what: string, given: number, most: number, node: OperationDefinitionNode | FragmentDefinitionNode): void => {
    if (given > most) faults.push(refusal('QUERY_TOO_LARGE', { what, given, most }, node));
  };
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION && node.kind !== Kind.FRAGMENT_DEFINITION) continue;
    try {
      const size = measure.definition(node);
      // A fragment is as deep as where it is spread; the operations show it.
      const depths = node.kind === Kind.OPERATION_DEFINITION ? size : NOTHING;
      if (depths.depth > DOCUMENT_LIMITS.depth)
        faults.push(refusal('QUERY_TOO_DEEP', { given: size.depth, most: DOCUMENT_LIMITS.depth }, node));
      if (depths.introspectionDepth > DOCUMENT_LIMITS.introspectionDepth) {
        faults.push(refusal('QUERY_TOO_DEEP', { given: size.introspectionDepth, most: DOCUMENT_LIMITS.introspectionDepth }, node));
      }
      limit('aliases', size.aliases, DOCUMENT_LIMITS.aliases, node);
      limit('directives', size.directives, DOCUMENT_LIMITS.directives, node);
      limit('repeated selections', size.repetitions, DOCUMENT_LIMITS.repetitions, node);
    } catch (error) {
      if (!(error instanceof FragmentCycle)) throw error;
      return [
        refusal('BAD_REQUEST', { what: `The fragment "${error.fragment.name.value}" spreads itself. Remove the cycle.` }, error.fragment),
      ];
    }
    if (faults.length > 0) return faults;
  }
  return textFaults(document);
}

function textFaults(document: DocumentNode): GraphQLError[] {
  const faults: GraphQLError[] = [];
  visit(document, {
    StringValue(node) {
      const fault = textFault(node.value);
      if (fault) faults.push(refusal('BAD_USER_INPUT', { what: `A text in the document can't be stored: ${fault}.` }, node));
    },
  });
  return faults;
}
