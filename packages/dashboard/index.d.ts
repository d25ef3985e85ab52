/** The folder of the built page: `index.html` and what it loads. */
export declare const pageFolder: string;
