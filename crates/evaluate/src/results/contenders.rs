use pairmill_hub::ModelSource;

use crate::models::options::{Backend, Models};
use crate::report::{Choice, Compared};

/// What can be used from now on of what an evaluation compared, as the user named it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Contenders {
    pub compared: Compared,
    model: Contender,
    baseline: Contender,
}

/// One of both.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Contender {
    pub name: String,
    /// How it is loaded, in a sentence, where it is a model.
    pub loading: Option<String>,
}

impl Contenders {
    /// Takes two sentence encoders; `None` where there is nothing to choose from.
    pub fn of_encoders(models: &Models) -> Option<Self> {
        if !models.is_choice() {
            return None;
        }
        let contender = |source: &ModelSource| Contender {
            name: source.to_string(),
            loading: Some(match models.backend {
                Backend::Torch => in_python("SentenceTransformer", source),
                Backend::Onnx => "ONNX Runtime loads the ONNX file in that folder.".to_owned(),
            }),
        };
        Some(Self {
            compared: Compared::Models,
            model: contender(&models.model),
            baseline: contender(models.baseline.as_ref()?),
        })
    }

    /// Takes a cross-encoder and the run that it ranks anew.
    pub fn of_reranker(model: &ModelSource, run: &str) -> Self {
        Self {
            compared: Compared::Reranker,
            model: Contender {
                name: model.to_string(),
                loading: Some(in_python("CrossEncoder", model)),
            },
            baseline: Contender {
                name: run.to_owned(),
                loading: None,
            },
        }
    }

    /// Returns the one that a verdict speaks for.
    pub fn chosen(&self, choice: Choice) -> &Contender {
        match choice {
            Choice::Model => &self.model,
            Choice::Baseline => &self.baseline,
        }
    }
}

/// How sentence-transformers loads a model, by the class that it has for it.
fn in_python(class: &str, source: &ModelSource) -> String {
    let given = source.to_string();
    let arguments = match (source.id(), given.split_once('@')) {
        (Some(id), Some((_, revision))) => format!("{id:?}, revision={revision:?}"),
        _ => format!("{given:?}"),
    };
    format!("In Python: {class}({arguments})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_an_id_are_loaded_by_one_line() {
        let of = |given: &str| in_python("CrossEncoder", &given.parse().unwrap());
        assert_eq!(
            of("runs/qa/model"),
            "In Python: CrossEncoder(\"runs/qa/model\")"
        );
        assert_eq!(
            of("acme/tiny@v2"),
            "In Python: CrossEncoder(\"acme/tiny\", revision=\"v2\")"
        );
        let folder = std::env::temp_dir().display().to_string();
        assert_eq!(of(&folder), format!("In Python: CrossEncoder({folder:?})"));
    }
}
