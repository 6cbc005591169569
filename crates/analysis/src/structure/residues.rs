//! Residues of a chain in a PDB or mmCIF file.

use crate::error::{Error, Result};
use pdbtbx::{Format, ReadOptions, StrictnessLevel};
use std::io::{BufReader, Cursor};
use std::path::Path;

/// How a structure is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns of 80 characters.
    Pdb,
    /// mmCIF, also called `PDBx`.
    Mmcif,
}

/// A residue of a protein or a nucleic acid.
#[derive(Clone, Debug, PartialEq)]
pub struct Residue {
    /// Its letter.
    pub letter: char,
    /// Its number in the file.
    pub number: isize,
    /// Where its atoms are but for hydrogen, in Å.
    pub atoms: Vec<[f64; 3]>,
}

impl Residue {
    /// The least distance of two atoms, in Å.
    #[must_use]
    pub fn distance(&self, other: &Self) -> f64 {
        let square = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
        let all = self.atoms.iter().flat_map(|a| other.atoms.iter().map(move |b| square(a, b)));
        all.fold(f64::INFINITY, f64::min).sqrt()
    }
}

/// The residues of a chain, in the order of the file, of the first model in it; where no chain is named there must
/// be one alone.
///
/// # Errors
/// [`Error::File`] if the text cannot be read, there is no such chain, or several and none is named.
pub fn chain(path: &Path, text: &str, form: Form, name: Option<&str>) -> Result<Vec<Residue>> {
    let refuse = |reason: String| Error::File { path: path.into(), reason };
    let format = if form == Form::Pdb { Format::Pdb } else { Format::Mmcif };
    let read = ReadOptions::default()
        .set_level(StrictnessLevel::Loose)
        .set_format(format)
        .set_only_first_model(true)
        .set_only_atomic_coords(true)
        .set_discard_hydrogens(true)
        .read_raw(BufReader::new(Cursor::new(text.as_bytes())));
    let (structure, _) = read.map_err(|errors| {
        let first = errors
            .first()
            .map_or_else(String::new, |error| format!(": {}; {}", error.short_description(), error.long_description()));
        refuse(format!("it cannot be read as a structure{first}"))
    })?;
    let model = structure.models().next().ok_or_else(|| refuse("there is no model in it".into()))?;
    // Ligands and water may be chains of their own.
    let chains: Vec<(String, Vec<Residue>)> = model
        .chains()
        .map(|chain| (chain.id().to_string(), chain.residues().filter_map(residue).collect::<Vec<_>>()))
        .filter(|(_, residues)| !residues.is_empty())
        .collect();
    let names = chains.iter().map(|(id, residues)| format!("{id} ({} residues)", residues.len()));
    let names = names.collect::<Vec<_>>().join(", ");
    let found = match name {
        Some(name) => chains.into_iter().find(|(id, _)| id == name),
        None if chains.len() == 1 => chains.into_iter().next(),
        None if chains.is_empty() => return Err(refuse("there are no residues in it".into())),
        None => return Err(refuse(format!("there are several chains in it, name one: {names}"))),
    };
    let missing = || refuse(format!("there is no chain {}; there are {names}", name.unwrap_or_default()));
    Ok(found.ok_or_else(missing)?.1)
}

/// A residue with a letter; all of its conformers count.
fn residue(residue: &pdbtbx::Residue) -> Option<Residue> {
    let letter = residue.conformers().find_map(|conformer| letter(conformer.name()))?;
    let atoms: Vec<[f64; 3]> = residue.atoms().map(|atom| [atom.x(), atom.y(), atom.z()]).collect();
    (!atoms.is_empty()).then(|| Residue { letter, number: residue.serial_number(), atoms })
}

/// Names of residues and their letters; modified ones have the letter of what they are made of.
const LETTERS: [(&str, char); 36] = [
    ("ALA", 'A'),
    ("CYS", 'C'),
    ("ASP", 'D'),
    ("GLU", 'E'),
    ("PHE", 'F'),
    ("GLY", 'G'),
    ("HIS", 'H'),
    ("ILE", 'I'),
    ("LYS", 'K'),
    ("LEU", 'L'),
    ("MET", 'M'),
    ("ASN", 'N'),
    ("PRO", 'P'),
    ("GLN", 'Q'),
    ("ARG", 'R'),
    ("SER", 'S'),
    ("THR", 'T'),
    ("VAL", 'V'),
    ("TRP", 'W'),
    ("TYR", 'Y'),
    ("MSE", 'M'),
    ("SEC", 'U'),
    ("SEP", 'S'),
    ("TPO", 'T'),
    ("PTR", 'Y'),
    ("CSO", 'C'),
    ("MLY", 'K'),
    ("HYP", 'P'),
    ("A", 'A'),
    ("C", 'C'),
    ("G", 'G'),
    ("U", 'U'),
    ("DA", 'A'),
    ("DC", 'C'),
    ("DG", 'G'),
    ("DT", 'T'),
];

fn letter(name: &str) -> Option<char> {
    LETTERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim())).map(|&(_, letter)| letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three residues, a water molecule and a second chain, by hand.
    const PDB: &str = "\
ATOM      1  N   ALA A   5       0.000   0.000   0.000  1.00  0.00           N  
ATOM      2  CA  ALA A   5       1.000   0.000   0.000  1.00  0.00           C  
ATOM      3  HA  ALA A   5       2.900   0.000   0.000  1.00  0.00           H  
ATOM      4  CA  GLY A   6       4.000   0.000   0.000  1.00  0.00           C  
HETATM    5  CA  MSE A   8       1.000   5.000   0.000  1.00  0.00           C  
HETATM    6  O   HOH A 101       9.000   9.000   9.000  1.00  0.00           O  
ATOM      7  CA  TRP B   1       0.000   0.000   7.000  1.00  0.00           C  
END
";

    const CIF: &str = "\
data_TEST
loop_
_atom_site.group_PDB
_atom_site.id
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_alt_id
_atom_site.label_comp_id
_atom_site.label_asym_id
_atom_site.label_entity_id
_atom_site.label_seq_id
_atom_site.pdbx_PDB_ins_code
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.occupancy
_atom_site.B_iso_or_equiv
_atom_site.auth_seq_id
_atom_site.auth_comp_id
_atom_site.auth_asym_id
_atom_site.auth_atom_id
_atom_site.pdbx_PDB_model_num
ATOM 1 C CA . LYS A 1 1 ? 0.0 0.0 0.0 1.0 0.0 11 LYS A CA 1
ATOM 2 C CA . TYR A 1 2 ? 3.0 4.0 0.0 1.0 0.0 12 TYR A CA 1
#
";

    #[test]
    fn residues_of_a_chain_have_letters_numbers_and_distances() {
        let path = Path::new("s.pdb");
        let a = chain(path, PDB, Form::Pdb, Some("A")).unwrap();
        let found: Vec<(char, isize)> = a.iter().map(|residue| (residue.letter, residue.number)).collect();
        assert_eq!(found, [('A', 5), ('G', 6), ('M', 8)]);
        assert_eq!([a[0].distance(&a[1]), a[0].distance(&a[2])], [3.0, 5.0], "without hydrogen");
        let refusal = |name| chain(path, PDB, Form::Pdb, name).unwrap_err().to_string();
        assert_eq!(refusal(None), "s.pdb: there are several chains in it, name one: A (3 residues), B (1 residues)");
        assert!(refusal(Some("C")).starts_with("s.pdb: there is no chain C; there are A"));
        assert!(chain(path, "nothing", Form::Mmcif, None).is_err());
    }

    #[test]
    fn mmcif_files_are_read_too() {
        let found = chain(Path::new("s.cif"), CIF, Form::Mmcif, None).unwrap();
        assert_eq!(found.iter().map(|residue| residue.letter).collect::<String>(), "KY");
        assert_eq!(found[0].distance(&found[1]), 5.0);
    }
}
