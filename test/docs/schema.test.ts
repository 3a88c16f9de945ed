/** The API's schema: the committed file is the running one, everything in it is described, and every root field has its row in the permission matrix. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEnumType, isInputObjectType, isInterfaceType, isObjectType, type GraphQLSchema } from 'graphql';
import { permissions } from '../../src/access';
import { printableSchema } from '../../src/app';
import { printSimwardenSchema } from '../../src/graphql/schema';

let schema: GraphQLSchema;

beforeAll(async () => {
  schema = await printableSchema();
});

describe('the schema', () => {
  it('is the one in schema.graphql (npm run schema)', () => {
    expect(printSimwardenSchema(schema)).toBe(readFileSync(join(__dirname, '../../schema.graphql'), 'utf8'));
  });

  it('describes every type, field, argument and enum value', () => {
    const bare: string[] = [];
    for (const type of Object.values(schema.getTypeMap())) {
      const name = type.name;
      if (name.startsWith('__') || ['String', 'Int', 'Float', 'Boolean', 'ID'].includes(name)) continue;
      const root = ['Query', 'Mutation', 'Subscription'].includes(name);
      if (!type.description && !root) bare.push(name);
      if (isEnumType(type))
        bare.push(
          ...type
            .getValues()
            .filter((value) => !value.description)
            .map((value) => `${name}.${value.name}`),
        );
      if (isObjectType(type) || isInterfaceType(type)) {
        for (const field of Object.values(type.getFields())) {
          if (!field.description) bare.push(`${name}.${field.name}`);
          bare.push(...field.args.filter((argument) => !argument.description).map((argument) => `${name}.${field.name}(${argument.name})`));
        }
      }
      if (isInputObjectType(type))
        bare.push(
          ...Object.values(type.getFields())
            .filter((field) => !field.description)
            .map((field) => `${name}.${field.name}`),
        );
    }
    expect(bare).toEqual([]);
  });

  it('has a row in the permission matrix for every root field, and no row without a field', () => {
    const fields = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
      Object.keys(type!.getFields()).map((field) => `${type!.name}.${field}`),
    );
    expect(Object.keys(permissions).sort()).toEqual(fields.sort());
  });
});
