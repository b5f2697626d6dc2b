/**
 * The project's source as seen by TypeScript's checker, with the types of Deno and of packages.
 *
 * @module
 */
import ts from "typescript";
import { ROOT } from "./program.ts";

/** A checker and its files. */
export interface CheckedSource {
  readonly checker: ts.TypeChecker;
  /** The files of `src/`, and `main.ts`. */
  readonly files: readonly ts.SourceFile[];
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.Preserve,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  allowImportingTsExtensions: true,
  resolveJsonModule: true,
  skipLibCheck: true,
  strict: true,
  noEmit: true,
  types: [],
  lib: ["lib.esnext.d.ts"],
};

/**
 * Checks these files of the project; paths are relative to its root. `texts` replace files or add
 * new ones.
 */
export async function checkSource(
  paths: readonly string[],
  texts: ReadonlyMap<string, string> = new Map(),
): Promise<CheckedSource> {
  const denoTypes = `${ROOT}deno.d.ts`;
  const all = new Map([...texts].map(([path, text]) => [ROOT + path, text]));
  all.set(denoTypes, await outputOf("types"));
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => all.has(path) || fileExists(path);
  host.readFile = (path) => all.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = all.get(path);
    return text === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  };
  const packages = await Packages.read();
  host.resolveModuleNameLiterals = (names, from) =>
    names.map(({ text }) => ({ resolvedModule: packages.resolve(text, from) }));
  const roots = paths.map((path) => ROOT + path);
  const program = ts.createProgram({
    rootNames: [denoTypes, packages.typesOfNode, ...roots],
    options: OPTIONS,
    host,
  });
  return {
    checker: program.getTypeChecker(),
    files: roots.map((path) => program.getSourceFile(path)!),
  };
}

/** Directories of packages, as named in `deno.json` and cached by Deno. */
class Packages {
  readonly #imports: Readonly<Record<string, string>>;
  readonly #folder: string;

  private constructor(imports: Record<string, string>, folder: string) {
    this.#imports = imports;
    this.#folder = folder;
  }

  static async read(): Promise<Packages> {
    const { imports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
    const { npmCache } = JSON.parse(await outputOf("info", "--json"));
    const [registry] = [...Deno.readDirSync(npmCache)].filter(({ isDirectory }) => isDirectory);
    return new Packages(imports, `${npmCache}/${registry!.name}`);
  }

  /** The types of Node's modules. */
  get typesOfNode(): string {
    return this.resolve("@types/node", "")!.resolvedFileName;
  }

  resolve(name: string, from: string): ts.ResolvedModuleFull | undefined {
    if (name.startsWith(".")) {
      const path = new URL(name, `file://${from}`).pathname;
      return found([path, `${path}.d.ts`, path.replace(/\.([cm]?)js$/, ".d.$1ts")]);
    }
    const target = this.#imports[name] ?? name;
    const match = /^(?:npm:)?\/?((?:@[^/]+\/)?[^/@]+)(?:@([^/]+))?(?:\/(.*))?$/.exec(target);
    if (!match || name.startsWith("node:")) return undefined;
    const [, module, version, inner] = match;
    const folder = `${this.#folder}/${module}/${version ?? latestIn(`${this.#folder}/${module}`)}`;
    if (inner === undefined) return found([typesOf(folder, ".")]);
    const stem = `${folder}/${inner.replace(/\.js$/, "")}`;
    return found([typesOf(folder, `./${inner}`), `${stem}.d.ts`, `${stem}/index.d.ts`]);
  }
}

/** The file with the types of a package's entry; some packages name only the code beside it. */
function typesOf(folder: string, entry: string): string {
  try {
    const { types, typings, exports } = JSON.parse(Deno.readTextFileSync(`${folder}/package.json`));
    const code = exports?.[entry];
    const declared = (entry === "." ? types ?? typings : undefined) ?? code?.types ??
      code?.import?.types ?? code?.import ?? code?.default ?? code ?? "index.d.ts";
    return `${folder}/${declared.replace(/^\.\//, "").replace(/(\.d)?\.js$/, ".d.ts")}`;
  } catch {
    return "";
  }
}

function latestIn(folder: string): string {
  try {
    const versions = [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory);
    return versions.map(({ name }) => name).toSorted().at(-1) ?? "";
  } catch {
    return "";
  }
}

function found(paths: readonly string[]): ts.ResolvedModuleFull | undefined {
  for (const path of paths) {
    if (/\.([cm]?ts|json)$/.test(path) && ts.sys.fileExists(path)) {
      const [extension] = /(\.d)?\.([cm]?ts|json)$/.exec(path)!;
      return { resolvedFileName: path, extension };
    }
  }
}

async function outputOf(...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}
